namespace SessionActors;

/// <summary>What kind of faults a run has, and so what is promised in it.</summary>
internal enum SimKind
{
    /// <summary>
    /// Silos die and pause, activations move, the store stalls, fails, loses and repeats: but only one activation of a session is called
    /// at a time. Everything is linearizable.
    /// </summary>
    OneActivation,

    /// <summary>
    /// Besides, several activations of a session are called, and silos go on that the others think dead. Changes are linearizable. What is
    /// only read in memory may be old.
    /// </summary>
    Duplicates,

    /// <summary>
    /// Besides, the store loses once what it was told last (a second time within seconds, with a claim from between still on its way, is
    /// more than the protocol withstands). Nobody sees a state that the session never had, a call is applied once at most in
    /// what is left, and what is acknowledged after the last loss is there.
    /// </summary>
    Losses,
}

/// <summary>The faults of a run: which, and from when to when, is up to the dice.</summary>
internal sealed class SimFaults(SimScheduler scheduler, SimStore store, SimCluster cluster, SimRecord record, SimKind kind)
{
    private const int LatestBeginMs = 6000;
    private const int LongestMs = 5000;

    private readonly List<SimSilo> _expelled = [];

    /// <summary>When all faults are over.</summary>
    public static readonly TimeSpan Over = TimeSpan.FromMilliseconds(LatestBeginMs + LongestMs);

    private Dice Dice => scheduler.Dice;

    public void Plan(IReadOnlyList<SessionHandle> sessions)
    {
        for (var i = Dice.Below(5); i >= 0; i--)
        {
            var fault = Dice.Below(13);
            scheduler.Clock.After(Dice.Between(0, LatestBeginMs), () => Begin(fault));
        }

        for (var i = Dice.Below(3); i >= 0 && kind != SimKind.OneActivation; i--)
        {
            var session = Dice.Of(sessions);
            scheduler.Clock.After(Dice.Between(0, LatestBeginMs), () => cluster.Duplicate(session));
        }

        if (kind != SimKind.OneActivation && Dice.Chance(50))
        {
            scheduler.Clock.After(Dice.Between(0, LatestBeginMs), PauseAndExpel);
        }

        if (kind == SimKind.Losses)
        {
            scheduler.Clock.After(Dice.Between(0, LatestBeginMs), () => Lose(sessions));
        }

        scheduler.Clock.After(Over, End);
    }

    private void Begin(int fault)
    {
        var percent = Dice.Of(5, 20, 60);
        var length = Dice.Between(10, LongestMs);
        scheduler.Note(() => $"fault {fault} ({percent} %) for {length.TotalSeconds:0.000}");
        switch (fault)
        {
            case 0:
                During(length, () => store.LostReplies = percent, () => store.LostReplies = 0);
                break;
            case 1:
                During(length, () => store.LostRequests = percent, () => store.LostRequests = 0);
                break;
            case 2:
                During(length, () => store.LateRequests = percent, () => store.LateRequests = 0);
                break;
            case 3:
                During(length, () => store.Repeated = percent, () => store.Repeated = 0);
                break;
            case 4:
                During(length, () => store.Unsent = percent, () => store.Unsent = 0);
                break;
            case 5:
                During(length, () => store.Refused = percent, () => store.Refused = 0);
                break;
            case 6:
                During(length, () => store.IsStalled = true, () => store.IsStalled = false);
                break;
            case 7:
                During(length, () => store.IsStalled = true, () =>
                {
                    store.LoseStalled();
                    store.IsStalled = false;
                });
                break;
            case 8 or 9:
                KillOne();
                break;
            case 10 when cluster.Activations is { Count: > 0 } activations:
                Dice.Of(activations).Leave();
                break;
            case 11:
                During(length, () => cluster.LostCalls = percent, () => cluster.LostCalls = 0);
                During(length, () => cluster.LostAnswers = percent, () => cluster.LostAnswers = 0);
                break;
            case 12:
                var silo = Dice.Of(cluster.Silos);
                During(length, () => silo.IsPaused = true, () => silo.IsPaused = false);
                break;
        }
    }

    private void During(TimeSpan length, Action begin, Action end)
    {
        begin();
        scheduler.Clock.After(length, end);
    }

    private void KillOne()
    {
        cluster.Start();
        cluster.Kill(Dice.Of(cluster.Silos.Take(cluster.Silos.Count - 1).ToArray()));
    }

    private void PauseAndExpel()
    {
        var silo = cluster.Silos[0];
        silo.IsPaused = Dice.Chance(70);
        cluster.Start();
        scheduler.Clock.After(Dice.Between(0, 1000), () =>
        {
            cluster.Expel(silo);
            _expelled.Add(silo);
        });
        scheduler.Clock.After(Dice.Between(1000, LongestMs), () => silo.IsPaused = false);
    }

    private void Lose(IReadOnlyList<SessionHandle> sessions)
    {
        Action[] back = [store.Model.Save(), .. sessions.Select(session => record.StoredOf(session).Save())];
        scheduler.Clock.After(Dice.Between(1, 3000), () =>
        {
            scheduler.Note(() => "the store loses what it was told last");
            record.Lost();
            Array.ForEach(back, one => one());
        });
    }

    private void End()
    {
        scheduler.Note(() => "all faults are over");
        store.BeWell();
        (cluster.LostCalls, cluster.LostAnswers) = (0, 0);
        foreach (var silo in cluster.Silos)
        {
            silo.IsPaused = false;
        }

        _expelled.ForEach(silo => silo.Die());
        cluster.Reconcile();
    }
}
