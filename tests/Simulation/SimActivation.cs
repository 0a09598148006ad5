namespace SessionActors;

/// <summary>A session's grain on one silo. A real grain: only what Orleans does around it is simulated.</summary>
internal sealed class SimActivation
{
    // Orleans waits for the calls that run before it lets a grain leave, though not for ever.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(3);

    private readonly SimScheduler _scheduler;
    private readonly SessionGrain _grain;
    private readonly List<ISimCall> _running = [];
    private readonly List<Action> _whenGone = [];
    private bool _isDeparting;

    public SimActivation(SimScheduler scheduler, SimSilo silo, SessionHandle handle)
    {
        (_scheduler, Silo) = (scheduler, silo);
        Process = new SimProcess(scheduler, $"{silo.Name}/{handle.LogName}");
        _grain = new SessionGrain(new StubContext(handle, silo.Runtime, Leave), silo.Storage, silo.Shared);
        silo.Add(this);
        scheduler.Note(() => $"{Process}: activated");
    }

    public SimSilo Silo { get; }

    public SimProcess Process { get; }

    /// <summary>Whether calls have to wait for it to be gone.</summary>
    public bool IsLeaving { get; private set; }

    public bool IsGone { get; private set; }

    /// <summary>Runs a call in its turn.</summary>
    public void Run(ISimCall call)
    {
        _running.Add(call);
        Process.Begin(async () =>
        {
            await call.RunAsync(_grain);
            _running.Remove(call);
            Depart(force: false);
        });
    }

    /// <summary>Does something when it is gone, where it leaves.</summary>
    public void WhenGone(Action action) => _whenGone.Add(action);

    /// <summary>It is to go in good order.</summary>
    public void Leave()
    {
        if (!IsLeaving && !Process.IsDead)
        {
            IsLeaving = true;
            _scheduler.Note(() => $"{Process}: leaves");
            _scheduler.Clock.After(LongestFarewell, () => Depart(force: true));
            Depart(force: false);
        }
    }

    /// <summary>The silo is dead, or the others think so: whoever waits for an answer hears of that.</summary>
    public void Abandon()
    {
        foreach (var call in _running.ToArray())
        {
            call.Lose();
        }

        Gone();
    }

    private void Depart(bool force)
    {
        if (!IsLeaving || _isDeparting || (_running.Count > 0 && !force))
        {
            return;
        }

        _isDeparting = true;
        Process.Begin(async () =>
        {
            using var patience = new CancellationTokenSource();
            await _grain.OnDeactivateAsync(default, patience.Token);
            _scheduler.Note(() => $"{Process}: has left");
            Gone();
        });
    }

    private void Gone()
    {
        if (!IsGone)
        {
            IsGone = true;
            _whenGone.ForEach(action => action());
        }
    }
}
