using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>
/// Everything that a campaign breaks: application servers on a network of their own where the machine allows one, a Redis behind a proxy
/// for each, and the balancer that clients go through. Servers that end by themselves are started again, as any machine would.
/// </summary>
internal sealed class FaultWorld : IAsyncDisposable
{
    // The product's FlushDelay of 1 s, and what a busy machine adds to it.
    private static readonly TimeSpan Unstored = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    // Of tries to start a server, each as long as AppProcess has patience at most.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<int, bool> _heldDown = new();
    private readonly ConcurrentQueue<TimeSpan> _unstoredKills = new();
    private readonly SemaphoreSlim[] _starting;
    private Task _supervising = Task.CompletedTask;

    private FaultWorld(Network? network, string? whyNoNetwork, RedisPair redis, CampaignSettings settings)
    {
        var (servers, spares, clusters) = (settings.Servers, settings.Spares, settings.Clusters);
        (Network, WhyNoNetwork, Redis, IsWriteBehind) = (network, whyNoNetwork, redis, settings.IsWriteBehind);
        Servers =
        [
            .. Enumerable.Range(0, servers + spares).Select(number =>
                new AppServer(number, network, () => redis.Port, clusters > 1 ? number % clusters : null, settings)
                {
                    IsSpare = number >= servers,
                }),
        ];
        _starting = [.. Servers.Select(_ => new SemaphoreSlim(1))];
    }

    /// <summary>Null where the machine allows none.</summary>
    public Network? Network { get; }

    public string? WhyNoNetwork { get; }

    public RedisPair Redis { get; }

    public AppServer[] Servers { get; }

    public Clock Clock { get; } = new();

    /// <summary>What was done in them Redis may have forgotten, by our own doing, and nobody has to know it any more.</summary>
    public Windows Losses { get; } = new();

    /// <summary>What was done in them Redis may have forgotten, whether or not servers that are in use write it back.</summary>
    public Windows Rollbacks { get; } = new();

    /// <summary>
    /// Whether servers must write back what a failover lost: then nothing is lost by one that comes alone, in sessions that are in use.
    /// </summary>
    public bool HealsFailover { get; init; } = true;

    /// <summary>Whether changes are acknowledged before they are stored.</summary>
    public bool IsWriteBehind { get; }

    /// <summary>When servers were killed whose last changes were not stored; none where each is stored before it is acknowledged.</summary>
    public IReadOnlyCollection<TimeSpan> UnstoredKills => _unstoredKills;

    /// <summary>How many acknowledged elements of sets were lost in windows of loss.</summary>
    public long Forgotten;

    /// <summary>
    /// In them a server may have been alone, or a session may have been active twice, and a read may be old by <see cref="ServingLease"/>.
    /// </summary>
    public Windows Partitions { get; } = new();

    /// <summary>In them servers may not have reached Redis.</summary>
    public Windows Outages { get; } = new();

    /// <summary>How old a read may be at most: what a server that was cut off may answer from memory is true for so long.</summary>
    public static TimeSpan ServingLease { get; } = TimeSpan.FromSeconds(3);

    public Findings Findings { get; } = new();

    /// <summary>How many servers ended by themselves: those that learned that they had been taken for dead.</summary>
    public int Deserters => Servers.Sum(server => server.Desertions);

    public long LostReplies => Servers.Sum(server => server.Redis.LostReplies);

    public static async Task<FaultWorld> StartAsync(CampaignSettings settings)
    {
        var (servers, spares) = (settings.Servers, settings.Spares);
        var (network, whyNot) = await Network.TryCreateAsync(servers + spares);
        FaultWorld? world = null;
        try
        {
            world = new FaultWorld(network, whyNot, await RedisPair.StartAsync(), settings);
            // One after the other: the next ones then find the cluster instead of founding another.
            foreach (var server in world.Servers[..servers])
            {
                await server.StartAsync();
            }

            Array.ForEach(world.Servers[servers..], world.HoldDown);
            world._supervising = world.SuperviseAsync();
            return world;
        }
        catch
        {
            await (world?.DisposeAsync() ?? network?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    /// <summary>kill -9 of a server, which takes with it what it has acknowledged and not stored.</summary>
    public void Kill(AppServer server)
    {
        if (!IsWriteBehind)
        {
            server.Kill();
            return;
        }

        // What it could not store, because Redis was out of reach, is older.
        var now = Clock.Now;
        var from = now - Unstored;
        var since = Outages.TouchedBy(from, now).Select(outage => outage.From - Unstored).Append(from).Min();
        var over = Losses.Begin(since);
        server.Kill();
        over(Clock.Now + Moment);
        _unstoredKills.Enqueue(now);
    }

    /// <summary>Keeps a server from being started again until <see cref="BringUpAsync"/>.</summary>
    public void HoldDown(AppServer server) => _heldDown[server.Number] = true;

    /// <summary>Starts a server that is down.</summary>
    public async Task BringUpAsync(AppServer server)
    {
        await _starting[server.Number].WaitAsync();
        try
        {
            var since = Clock.Now;
            while (!server.IsRunning)
            {
                try
                {
                    await server.StartAsync();
                }
                catch (Exception e) when (e is InvalidOperationException or TimeoutException && Clock.Now - since < StartLimit)
                {
                    // It may have met a fault at its start, so often as the fault lasts. What it met last is thrown.
                    Findings.Note($"{Clock.Now.TotalSeconds:0.0} s: server {server.Number} did not start: {e.Message}");
                    server.Kill();
                }
            }
        }
        finally
        {
            _heldDown[server.Number] = false;
            _starting[server.Number].Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervising;
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        await Redis.DisposeAsync();
        await (Network?.DisposeAsync() ?? ValueTask.CompletedTask);
        _stop.Dispose();
        Array.ForEach(_starting, gate => gate.Dispose());
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var server in Servers)
            {
                if (!server.IsRunning && !_heldDown.GetValueOrDefault(server.Number))
                {
                    server.Desertions++;
                    Findings.Note($"{Clock.Now.TotalSeconds:0.0} s: server {server.Number} ended by itself:\n{server.LastWords}");
                    server.Kill();
                    try
                    {
                        await BringUpAsync(server);
                    }
                    catch (Exception e) when (e is InvalidOperationException or TimeoutException)
                    {
                        // As any supervisor would, until what keeps it from starting is over.
                        Findings.Note($"{Clock.Now.TotalSeconds:0.0} s: server {server.Number} does not start: {e.Message}");
                    }
                }
            }

            await Clock.PassAsync(Look);
        }
    }
}
