using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>The promises that were broken, and notes that help to see why.</summary>
internal sealed class Findings
{
    private const int Most = 200;

    private readonly ConcurrentQueue<(string Check, string What)> _broken = new();
    private readonly ConcurrentQueue<string> _notes = new();

    /// <summary>Each with the check that found it.</summary>
    public IReadOnlyCollection<(string Check, string What)> Broken => _broken;

    public IReadOnlyCollection<string> Notes => _notes;

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

    public void Note(string note)
    {
        _notes.Enqueue(note);
        if (_notes.Count > Most)
        {
            _notes.TryDequeue(out _);
        }
    }
}
