namespace SessionActors;

/// <summary>Which faults come, one after the other or two at once.</summary>
internal sealed class FaultDeck(FaultWorld world, Seeded random)
{
    private static readonly Cut[] NetworkCuts = [Cut.All, Cut.PeersAndRedis, Cut.Peers, Cut.Redis, Cut.EachOther];

    // The rarest pair comes once in some thousands.
    private const int MostTries = 100_000;

    /// <summary>What a machine without network namespaces cannot do.</summary>
    public static IReadOnlyList<Cut> NeedNetwork => NetworkCuts;

    /// <summary>The short campaign's: as many of each as it must have, in an order of the seed's.</summary>
    public IReadOnlyList<Fault[]> Short()
    {
        var faults = new List<Fault>();
        void Add(int count, Func<Fault> make) => faults.AddRange(Enumerable.Range(0, count).Select(_ => make()));
        Add(12, Kill);
        Add(4, Stop);
        Add(6, () => Pause(most: 6));
        faults.AddRange(Cuts());
        Add(4, RedisKill);
        Add(2, Failover);
        Add(5, LostReplies);
        Add(1, RedisPause);
        Add(1, Storm);
        Add(1, Latency);
        Add(1, Stall);
        Add(1, () => new ScriptFlushFault());
        Add(1, Full);
        Add(1, Starvation);
        random.Shuffle(faults);
        var steps = Paired(faults);
        // By themselves, so that whoever shows an error was in nothing else's way.
        steps.AddRange([[Stop()], [Stop()]]);
        random.Shuffle(steps);
        return steps;
    }

    /// <summary>A little of what comes between two clusters.</summary>
    public IReadOnlyList<Fault[]> ShortBetweenClusters() =>
    [
        [Kill()], [LostReplies()], [Pause(most: 4)], [RedisKill()], [Kill()], [new CutFault(AnyServer(), Cut.RedisRefused, Seconds(1, 3))],
    ];

    /// <summary>What tells whether changes that are acknowledged and not stored survive what they must.</summary>
    public IReadOnlyList<Fault[]> ShortWriteBehind() =>
    [
        [Kill()], [Stop()], [Latency()], [Pause(most: 6)], [Kill()], [new CutFault(AnyServer(), Cut.RedisRefused, Seconds(1, 3))],
        [LostReplies()], [RedisKill()], [Stop()], [Failover()], [Kill()],
    ];

    /// <summary>One or two faults of any kind; or those of the kinds whose names begin so, with " and " between two.</summary>
    /// <exception cref="InvalidOperationException">There are none of these kinds, or they do not go together.</exception>
    public Fault[] Any(string? only)
    {
        var wanted = only?.Split(" and ");
        for (var tries = 0; tries < MostTries; tries++)
        {
            Fault[] faults = [One(), One()];
            if (wanted is null && random.Below(2) == 0)
            {
                return faults[..1];
            }

            faults = wanted?.Length == 1 ? faults[..1] : faults;
            if ((faults.Length == 1 || GoTogether(faults[0], faults[1])) && (wanted is null || AreOf(wanted, faults)))
            {
                return faults;
            }
        }

        throw new InvalidOperationException(
            $"There are no faults '{only}'. Name one kind by how it begins, or two that go together with ' and ' between them.");
    }

    private static bool AreOf(string[] kinds, Fault[] faults) => kinds.Length == faults.Length
        && kinds.Zip(faults).All(pair => pair.Second.Kind.StartsWith(pair.First, StringComparison.Ordinal));

    /// <summary>Replies lost between Redis and every server.</summary>
    public Fault LostReplies() => new LostRepliesFault(random.Between(8, 20), silently: random.Below(4) == 0, Seconds(3, 5));

    // Two hours of these are to have 300 kills: one hour had 116 where every fourth was one.
    private Fault One() => random.Below(28) switch
    {
        <= 9 => Kill(),
        10 or 11 => Stop(),
        12 or 13 => Pause(most: 60),
        14 or 15 => random.OneOf(Cuts().ToArray()),
        16 => RedisKill(),
        17 => Failover(),
        18 => LostReplies(),
        19 => RedisPause(),
        20 => Storm(),
        21 => Latency(),
        22 => Stall(),
        23 => random.Below(2) == 0 ? new ScriptFlushFault() : Full(),
        24 => new AofTailFault(random.Branch(), TimeSpan.FromMilliseconds(random.Between(100, 1000))),
        25 => Starvation(),
        26 => new ScalingFault(Seconds(5, 15)),
        _ => new FlushAllFault(),
    };

    private KillFault Kill() => new(AnyServer(), Seconds(0, 2));

    private StopFault Stop() => new(AnyServer(), Seconds(0, 1));

    private PauseFault Pause(int most) => new(AnyServer(), Seconds(1, most));

    private IEnumerable<Fault> Cuts() =>
        (world.Network is null ? Enumerable.Repeat(Cut.RedisRefused, 1 + NetworkCuts.Length) : [Cut.RedisRefused, .. NetworkCuts])
            .Select(cut => new CutFault(AnyServer(), cut, Seconds(1, 8)));

    private RedisKillFault RedisKill() => new(Seconds(0, 3));

    private LossyFailoverFault Failover() => new(TimeSpan.FromMilliseconds(random.Between(200, 1000)));

    private RedisPauseFault RedisPause() => new(Seconds(1, 5));

    private ConnectionStormFault Storm() => new(Seconds(1, 4));

    private LatencyFault Latency() => new(TimeSpan.FromMilliseconds(random.Between(100, 1000)), Seconds(2, 5));

    private StallFault Stall() => new(AnyServer(), random.Below(2) == 0, Seconds(1, 5));

    private StarvationFault Starvation() => new(AnyServer(), Seconds(2, 8));

    private RedisFullFault Full() => new(Seconds(1, 4));

    private AppServer AnyServer() => random.OneOf(world.Servers.Where(server => !server.IsSpare).ToArray());

    private TimeSpan Seconds(int least, int most) => random.Between(TimeSpan.FromSeconds(least), TimeSpan.FromSeconds(most));

    // Every other one alone, so that one sees which it was.
    private static List<Fault[]> Paired(List<Fault> faults)
    {
        var steps = new List<Fault[]>();
        while (faults.Count > 0)
        {
            var first = faults[0];
            var second = steps.Count % 4 == 0 ? null : faults.Skip(1).FirstOrDefault(other => GoTogether(first, other));
            faults.RemoveAt(0);
            if (second is not null)
            {
                faults.Remove(second);
            }

            steps.Add(second is null ? [first] : [first, second]);
        }

        return steps;
    }

    private static bool GoTogether(Fault one, Fault other) =>
        (one.Server is null || one.Server != other.Server) && !(one.StrikesRedis && other.StrikesRedis)
            && !one.StrikesAllServers && !other.StrikesAllServers;
}
