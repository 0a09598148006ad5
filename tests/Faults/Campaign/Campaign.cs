using System.Collections.Concurrent;
using System.Globalization;

namespace SessionActors;

/// <summary>Sessions are visited at all servers while faults come and go; each session is checked in the end.</summary>
internal sealed class Campaign : IAsyncDisposable
{
    // How many sessions of each kind there are at a time.
    private static readonly (string Kind, int Sessions)[] Sessions =
        [("set", 4), ("list", 3), ("counter", 4), ("register", 5), ("lease", 3), ("lifecycle", 8), ("expiry", 6)];

    // A client that lost its Redis tries again after pauses that grow to this.
    private static readonly TimeSpan Reconnecting = TimeSpan.FromSeconds(5);

    // Until all servers have the same idea of who is there and where each session is.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    private const int WarmUp = 1_000;

    private static readonly TimeSpan BetweenFaults = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    private readonly CampaignSettings _settings;
    private readonly FaultWorld _world;
    private readonly Front _front;
    private readonly Recovery _recovery;
    private readonly FaultDeck _deck;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, int> _struck = [];
    private readonly ConcurrentDictionary<string, int> _checked = new();
    private readonly Seeded _random;
    private int _pairs;
    private TimeSpan _lastHeal;

    private Campaign(CampaignSettings settings, FaultWorld world)
    {
        (_settings, _world, _random) = (settings, world, new Seeded(settings.Seed));
        _front = new Front(world.Servers, world.Clock, mostPerServer: 24, settings.PerSecond);
        _recovery = new Recovery(world.Clock);
        _deck = new FaultDeck(world, _random.Branch());
    }

    public static async Task<Campaign> StartAsync(CampaignSettings settings) =>
        new(settings, await FaultWorld.StartAsync(settings));

    /// <summary>Runs it to its end and tells what was found.</summary>
    public async Task<CampaignReport> RunAsync()
    {
        var visiting = Sessions
            .SelectMany(kind => Enumerable.Range(0, kind.Sessions).Select(slot => VisitAsync(kind.Kind, slot, _random.Branch())))
            .ToArray();
        await Until.TrueAsync(() => _front.Operations > WarmUp, "sessions are visited");
        var first = Usage();
        if (_settings.Duration is { } duration)
        {
            while (_world.Clock.Now < duration)
            {
                await StepAsync(_deck.Any(_settings.Only));
            }
        }
        else
        {
            foreach (var step in _settings.IsWriteBehind ? _deck.ShortWriteBehind()
                : _settings.Clusters > 1 ? _deck.ShortBetweenClusters() : _deck.Short())
            {
                await StepAsync(step);
            }

            while (_world.LostReplies < _settings.LostReplies)
            {
                await StepAsync(_deck.LostReplies());
            }

            while (_front.Operations < _settings.Operations)
            {
                await Clock.PassAsync(BetweenFaults);
            }
        }

        await EndAsync(visiting, first);
        return Report();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _world.DisposeAsync();
        _stop.Dispose();
    }

    private async Task StepAsync(params Fault[] faults)
    {
        var name = string.Join(" and ", faults.Select(fault => fault.ToString()));
        var before = _front.Counts;
        var servers = _world.Servers.Select(server => (Server: server, server.Failed, server.Desertions)).ToArray();
        Say($"{name}");
        var outage = faults.Any(fault => fault.HidesRedis) ? _world.Outages.Begin(_world.Clock.Now) : null;
        var partition = _world.Partitions.Begin(_world.Clock.Now);
        foreach (var fault in faults)
        {
            fault.IsAlone = faults.Length == 1;
            await fault.StrikeAsync(_world);
            _struck[fault.Kind] = _struck.GetValueOrDefault(fault.Kind) + 1;
        }

        _pairs += faults.Length > 1 ? 1 : 0;
        var struck = _world.Clock.Now;
        async Task HealAsync(Fault fault)
        {
            await Clock.PassAsync(TimeSpan.FromTicks(Math.Max(0, (struck + fault.Lasts - _world.Clock.Now).Ticks)));
            await fault.HealAsync(_world);
        }

        // A server that starts needs its Redis, and may not come up before the other server's fault has ended.
        await Task.WhenAll(faults.Where(fault => fault.Server is null).Select(HealAsync));
        await Task.WhenAll(faults.Where(fault => fault.Server is not null).Select(HealAsync));
        var healed = _world.Clock.Now;
        outage?.Invoke(healed + Reconnecting);
        partition(healed + Settling);
        await RecoverAsync(name);
        var after = _front.Counts;
        // One that learned only now that it was taken for dead takes requests with it.
        var errors = servers.Where(was => was.Server.Desertions == was.Desertions).Sum(was => was.Server.Failed - was.Failed);
        if (faults is [StopFault] && errors > 0)
        {
            var last = string.Join('\n', _front.LastFailures);
            _world.Findings.Add("orderly stop", $"{name}: {errors} requests failed; the last failures were\n{last}");
        }

        Say($"  healed at {healed.TotalSeconds:0.0} s; done {after.Done - before.Done}, refused {after.Refused - before.Refused}, "
            + $"unknown {after.Unknown - before.Unknown}; replies lost {_world.LostReplies}");
        await Clock.PassAsync(BetweenFaults);
    }

    private async Task RecoverAsync(string after)
    {
        _lastHeal = _world.Clock.Now;
        _recovery.Begin();
        var silent = await _recovery.WaitAsync(_settings.RecoveryLimit);
        if (silent.Count > 0)
        {
            _world.Findings.Add(
                "liveness",
                $"{silent.Count} sessions were not answered within {_settings.RecoveryLimit.TotalSeconds} s after {after} "
                    + $"ended at {_lastHeal.TotalSeconds:0.0} s: {string.Join(' ', silent)}");
            NoteLastWords();
            await _recovery.WaitAsync(TimeSpan.FromSeconds(60));
            NoteLastWords();
        }
    }

    private void NoteLastWords()
    {
        foreach (var server in _world.Servers.Where(server => server.IsRunning))
        {
            _world.Findings.Note($"{_world.Clock.Now.TotalSeconds:0.0} s, server {server.Number} last said:\n{server.LastWords}");
        }
    }

    // After the last fault all is well again: every session answers, and nothing hangs.
    private async Task EndAsync(Task[] visiting, ServerUsage[] first)
    {
        await RecoverAsync("the last fault");
        await Until.TrueAsync(() => _world.Servers.All(server => server.IsSpare || server.IsRunning), "all servers run again");
        _world.Findings.Add("liveness", "after the last fault", SurvivorCheck.Check(first, Usage()));
        await _stop.CancelAsync();
        var all = Task.WhenAll(visiting);
        if (await Task.WhenAny(all, Clock.PassAsync(EndLimit)) != all)
        {
            _world.Findings.Add("liveness", $"{visiting.Count(visit => !visit.IsCompleted)} visits do not end");
        }
        else
        {
            await all;
        }

        if (_front.LastHang is { } hang && hang.From > _lastHeal)
        {
            _world.Findings.Add("liveness", $"{hang} was not answered, after all faults had ended at {_lastHeal}");
        }
    }

    private async Task VisitAsync(string kind, int slot, Seeded random)
    {
        var scene = new SubjectScene(_world, _front, _recovery, _stop.Token);
        for (var n = 0; !_stop.IsCancellationRequested; n++)
        {
            var tag = string.Create(CultureInfo.InvariantCulture, $"{kind}{slot}n{n}");
            Subject subject = kind switch
            {
                "set" => new SetSubject(scene, tag, random.Branch(), asList: false),
                "list" => new SetSubject(scene, tag, random.Branch(), asList: true),
                "counter" => new CounterSubject(scene, tag, random.Branch()),
                "register" => new RegisterSubject(scene, tag, random.Branch()),
                "lease" => new LeaseSubject(scene, tag, random.Branch()),
                "expiry" => new ExpirySubject(scene, tag, random.Branch()),
                "lifecycle" => new LifecycleSubject(scene, tag, random.Branch()),
                _ => throw new InvalidOperationException($"There is no workload {kind}."),
            };
            await subject.RunAsync();
            _checked.AddOrUpdate(kind, 1, (_, count) => count + 1);
        }
    }

    private CampaignReport Report() => new()
    {
        Settings = _settings,
        Took = _world.Clock.Now,
        Counts = _front.Counts,
        Failures = new(_front.Failures),
        Faults = _struck,
        Pairs = _pairs,
        LostReplies = _world.LostReplies,
        Forgotten = Interlocked.Read(ref _world.Forgotten),
        Deserters = _world.Deserters,
        Checked = new(_checked),
        Recovery = _recovery.Times,
        Broken = [.. _world.Findings.Broken],
        Notes =
        [
            $"last to recover: {_recovery.Slowest}",
            .. _front.Slow.Select(slow => $"slow: {slow.Path} {slow.Answer}"),
            .. _front.Crashed.Select(crash => $"not caught: {crash.Path} {crash.Answer}\n{crash.LastWords}"),
        ],
        Skipped = _world.Network is null
            ? $"{string.Join(", ", FaultDeck.NeedNetwork)}: this machine allows no network namespaces ({_world.WhyNoNetwork})"
            : null,
    };

    private ServerUsage[] Usage() => [.. _world.Servers.Where(server => server.IsRunning).Select(server => server.Usage)];

    private void Say(string what) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_world.Clock.Now.TotalSeconds,8:0.0} s  {what}"));
}
