using System.Globalization;

namespace SessionActors;

/// <summary>
/// Runs processes on one thread, each step of one that the dice choose. Time passes when all of them wait. The same seed gives the same
/// steps, which <see cref="Hash"/> sums up.
/// </summary>
internal sealed class SimScheduler(ulong seed, bool traces)
{
    // Many times what a run takes: something goes round in circles.
    private const int MostSteps = 200_000;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<SimProcess> _ready = [];
    private readonly List<string> _trace = [];
    private int _ids;
    private int _steps;

    public Dice Dice { get; } = new(seed);

    public SimClock Clock { get; } = new();

    /// <summary>What has happened, in short.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>What has happened, in words, where it was asked for.</summary>
    public IReadOnlyList<string> Trace => _trace;

    public bool IsHere => Environment.CurrentManagedThreadId == _thread;

    public int NextId() => _ids++;

    public void Ready(SimProcess process) => _ready.Add(process);

    public void Mix(long what) => Hash = (Hash ^ (ulong)what) * 1099511628211;

    /// <summary>Writes a line of the trace.</summary>
    public void Note(Func<string> line)
    {
        if (traces)
        {
            _trace.Add(string.Create(CultureInfo.InvariantCulture, $"{Clock.Now.TotalSeconds - 86400,9:0.0000} {line()}"));
        }
    }

    /// <summary>Runs until something is so. False where it is not within the time, or nothing can happen any more.</summary>
    public bool Run(Func<bool> isOver, TimeSpan limit)
    {
        var end = Clock.Now + limit;
        while (!isOver())
        {
            if (++_steps > MostSteps)
            {
                return false;
            }

            if (_ready.Count > 0)
            {
                var at = Dice.Below(_ready.Count);
                if (!_ready[at].Step())
                {
                    _ready[at] = _ready[^1];
                    _ready.RemoveAt(_ready.Count - 1);
                }
            }
            else if (Clock.Now > end || !Clock.GoOn())
            {
                return false;
            }
            else
            {
                Mix(Clock.Now.Ticks);
            }

            Clock.Settle();
        }

        return true;
    }
}
