namespace SessionActors;

/// <summary>A call to a session on its way.</summary>
internal interface ISimCall
{
    /// <summary>Makes it, and sends the answer.</summary>
    Task RunAsync(ISessionGrain grain);

    /// <summary>Its caller will hear that the silo is not there.</summary>
    void Lose();
}

/// <summary>Silos, the directory of who has which session, and the network that calls take.</summary>
internal sealed class SimCluster(SimScheduler scheduler, SimStore store, SessionActorsOptions options)
{
    private readonly List<SimSilo> _silos = [];
    private readonly List<SimSilo> _alive = [];
    private readonly Dictionary<SessionHandle, List<SimActivation>> _directory = [];
    private int _started;

    /// <summary>The silos that take calls.</summary>
    public IReadOnlyList<SimSilo> Silos => _silos;

    /// <summary>Of a hundred calls, so many never arrive.</summary>
    public int LostCalls { get; set; }

    /// <summary>Of a hundred answers, so many never arrive.</summary>
    public int LostAnswers { get; set; }

    public void Start()
    {
        var silo = new SimSilo(++_started, scheduler, store, options);
        _silos.Add(silo);
        _alive.Add(silo);
    }

    /// <summary>
    /// The sessions in the memory of the silo that a caller's web server runs beside, be it declared dead or not. Null where that stands
    /// still.
    /// </summary>
    public ILocalSessions? LocalTo(int caller) =>
        _alive.Count > 0 && _alive[caller % _alive.Count] is { IsPaused: false } silo ? silo.Shared.Live : null;

    /// <summary>Calls a session, wherever it is for this caller: of two activations each mostly knows one.</summary>
    public Task<T> CallAsync<T>(SessionHandle handle, int caller, Func<ISessionGrain, Task<T>> call)
    {
        var sent = new Call<T>(this, scheduler, call);
        scheduler.Clock.After(scheduler.Dice.Between(0, 2), () => Deliver(handle, caller, sent));
        return sent.Task;
    }

    /// <summary>Kills a silo; the others notice it some time later.</summary>
    public void Kill(SimSilo silo)
    {
        scheduler.Note(() => $"{silo.Name}: killed");
        silo.Die();
        _silos.Remove(silo);
        _alive.Remove(silo);
        scheduler.Clock.After(scheduler.Dice.Between(0, 2000), () => Forget(silo));
    }

    /// <summary>The others declare a silo dead that goes on, or is paused.</summary>
    public void Expel(SimSilo silo)
    {
        scheduler.Note(() => $"{silo.Name}: expelled");
        silo.IsExpelled = true;
        _silos.Remove(silo);
        Forget(silo);
    }

    /// <summary>The directory gives another silo an activation of a session that has one already.</summary>
    public void Duplicate(SessionHandle handle)
    {
        if (Live(handle) is { Count: > 0 } live && _silos.FirstOrDefault(silo => live.TrueForAll(one => one.Silo != silo)) is { } other)
        {
            Activate(handle, other);
        }
    }

    /// <summary>The directory finds that it knows two activations of a session, and keeps one of them.</summary>
    public void Reconcile()
    {
        foreach (var handle in _directory.Keys)
        {
            var live = Live(handle);
            if (live.Count > 1)
            {
                var kept = scheduler.Dice.Of<SimActivation>(live);
                live.Where(one => one != kept).ToList().ForEach(one => one.Leave());
            }
        }
    }

    /// <summary>All activations of all sessions that take calls.</summary>
    public IReadOnlyList<SimActivation> Activations => [.. _directory.Keys.SelectMany(Live)];

    private static void Forget(SimSilo silo)
    {
        foreach (var activation in silo.Activations)
        {
            activation.Abandon();
        }
    }

    private List<SimActivation> Live(SessionHandle handle)
    {
        if (!_directory.TryGetValue(handle, out var known))
        {
            _directory.Add(handle, known = []);
        }

        known.RemoveAll(one => one.IsGone);
        return known;
    }

    private SimActivation Activate(SessionHandle handle, SimSilo silo)
    {
        var activation = new SimActivation(scheduler, silo, handle);
        Live(handle).Add(activation);
        return activation;
    }

    private void Deliver(SessionHandle handle, int caller, ISimCall call)
    {
        if (scheduler.Dice.Chance(LostCalls))
        {
            call.Lose();
            return;
        }

        var live = Live(handle);
        if (live.Count == 0 && _silos.Count == 0)
        {
            call.Lose();
            return;
        }

        var target = live.Count == 0 ? Activate(handle, scheduler.Dice.Of<SimSilo>(_silos))
            : live[scheduler.Dice.Chance(90) ? caller % live.Count : scheduler.Dice.Below(live.Count)];
        if (target.Process.IsDead)
        {
            call.Lose();
        }
        else if (target.IsLeaving)
        {
            target.WhenGone(() => Deliver(handle, caller, call));
        }
        else
        {
            target.Run(call);
        }
    }

    private sealed class Call<T>(SimCluster cluster, SimScheduler scheduler, Func<ISessionGrain, Task<T>> call) : ISimCall
    {
        private readonly TaskCompletionSource<T> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _answered.Task;

        public async Task RunAsync(ISessionGrain grain)
        {
            Action answer;
            try
            {
                var result = await call(grain);
                answer = () => _answered.TrySetResult(result);
            }
            catch (Exception e)
            {
                answer = () => _answered.TrySetException(e);
            }

            if (scheduler.Dice.Chance(cluster.LostAnswers))
            {
                Lose();
            }
            else
            {
                scheduler.Clock.After(scheduler.Dice.Between(0, 2), answer);
            }
        }

        public void Lose() => scheduler.Clock.After(
            scheduler.Dice.Between(20, 2000), () => _answered.TrySetException(new SiloUnavailableException("The silo is not there.")));
    }
}
