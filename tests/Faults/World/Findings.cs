using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>The promises that were broken. What is found is printed as it is found.</summary>
internal sealed class Findings
{
    private const int Most = 200;

    private readonly ConcurrentQueue<(string Check, string What)> _broken = new();
    private int _notes;

    /// <summary>Each with the check that found it.</summary>
    public IReadOnlyCollection<(string Check, string What)> Broken => _broken;

    public void Add(string check, string what)
    {
        if (_broken.Count < Most)
        {
            Console.Error.WriteLine($"BROKEN {check}: {what}");
            _broken.Enqueue((check, what));
        }
    }

    public void Add(string check, string session, IEnumerable<string> violations)
    {
        foreach (var violation in violations)
        {
            Add(check, $"{session}: {violation}");
        }
    }

    /// <summary>Tells, at once, what helps to see why.</summary>
    public void Note(string note)
    {
        if (Interlocked.Increment(ref _notes) <= Most)
        {
            Console.Error.WriteLine(note);
        }
    }
}
