namespace SessionActors;

/// <summary>How long after a fault's end each session has been answered again.</summary>
internal sealed class Recovery(Clock clock)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Subject> _live = [];
    private readonly HashSet<Subject> _awaited = [];
    private readonly List<TimeSpan> _times = [];
    private TimeSpan _since;

    /// <summary>The session that took longest, and its calls until it was answered.</summary>
    public (TimeSpan Took, string Session)? Slowest { get; private set; }

    /// <summary>From a fault's end to the first success of a session.</summary>
    public IReadOnlyList<TimeSpan> Times
    {
        get
        {
            lock (_gate)
            {
                return [.. _times];
            }
        }
    }

    public void Add(Subject subject)
    {
        lock (_gate)
        {
            _live.Add(subject);
        }
    }

    public void Remove(Subject subject)
    {
        lock (_gate)
        {
            _live.Remove(subject);
            _awaited.Remove(subject);
        }
    }

    public void Saw(Subject subject, Answer answer)
    {
        lock (_gate)
        {
            if (answer.From >= _since && _awaited.Remove(subject))
            {
                var took = answer.To - _since;
                _times.Add(took);
                Slowest = Slowest?.Took >= took ? Slowest : (took, $"{subject}, since {_since.TotalSeconds:0.000} s{subject.History}");
            }
        }
    }

    /// <summary>A fault has ended.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _since = clock.Now;
            _awaited.UnionWith(_live);
        }
    }

    /// <summary>Waits until every session has been answered since, and returns those that were not in all that time.</summary>
    public async Task<IReadOnlyList<Subject>> WaitAsync(TimeSpan most)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_awaited.Count == 0 || clock.Now - _since > most)
                {
                    return [.. _awaited];
                }
            }

            await Clock.PassAsync(TimeSpan.FromMilliseconds(20));
        }
    }
}
