using System.Buffers.Binary;

namespace SessionActors;

/// <summary>What came of a run.</summary>
internal sealed record SimResult(
    ulong Seed, SimKind Kind, ulong Hash, int Calls, int Unknown, IReadOnlyList<string> Problems, IReadOnlyList<string> Trace)
{
    public override string ToString() =>
        $"seed {Seed} ({Kind}), alone again with SIMULATION_SEED={Seed}:\n{string.Join('\n', Problems)}\n\n{string.Join('\n', Trace)}";
}

/// <summary>
/// One run of the protocol under faults: real grains, clients with retries, a store that does what the model says, and everything between
/// them in the hands of the dice. One thread, no real time; the seed says all.
/// </summary>
internal static class Simulation
{
    // Patience, waits for leases and pauses together are far below it: whoever is not answered by then never is.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(10);

    public static SimResult Run(ulong seed, bool traces = false)
    {
        var scheduler = new SimScheduler(seed, traces);
        var (dice, record, store) = (scheduler.Dice, new SimRecord(), new SimStore(scheduler));
        var kind = (SimKind)dice.Below(3);
        var options = new SessionActorsOptions
        {
            LockExpiry = TimeSpan.FromSeconds(2),
            MaxLease = TimeSpan.FromSeconds(5),
            LeaseWait = TimeSpan.FromSeconds(8),
            LeaseBlocksShared = true,
        };
        store.Model.OnApplied = record.Applied;
        var cluster = new SimCluster(scheduler, store, options);
        for (var i = dice.Below(2); i >= -1; i--)
        {
            cluster.Start();
        }

        SimVisitor[] visitors = [.. Enumerable.Range(0, 1 + dice.Below(2)).Select(_ => NewVisitor(dice))];
        new SimFaults(scheduler, store, cluster, record, kind).Plan([.. visitors.Select(visitor => visitor.Session)]);
        var (clients, number) = (new List<Task>(), 0);
        foreach (var visitor in visitors)
        {
            var others = 1 + dice.Below(4);
            for (var i = 0; i <= others; i++)
            {
                clients.Add(new SimClient(scheduler, record, cluster, visitor, ++number).Begin(creates: i == 0, 3 + dice.Below(10)));
            }
        }

        var areOver = false;
        scheduler.Clock.After(SimFaults.Over, () => areOver = true);
        Complete(clients, () => areOver, Limit);
        var audits = visitors.Select(visitor => new SimClient(scheduler, record, cluster, visitor, ++number).Audit());
        Complete([.. audits], () => true, Recovery);
        var calls = record.Calls.Calls;
        return new SimResult(
            seed,
            kind,
            scheduler.Hash,
            calls.Count,
            calls.Count(call => call.End == CallEnd.Unknown),
            [.. SimChecks.ProblemsOf(record, kind, options.ServingLease)],
            scheduler.Trace);

        void Complete(List<Task> tasks, Func<bool> isOver, TimeSpan limit)
        {
            if (!scheduler.Run(() => isOver() && tasks.TrueForAll(task => task.IsCompleted), limit))
            {
                record.Problems.Add($"{tasks.Count(task => !task.IsCompleted)} callers were not answered within {limit}");
            }
        }
    }

    private static SimVisitor NewVisitor(Dice dice)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, dice.Next());
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], dice.Next());
        return new SimVisitor(SessionHandle.FromBytes(bytes)) { MayBeDestroyed = dice.Chance(60) };
    }
}
