using System.Net;

namespace SessionActors;

/// <summary>
/// Two clusters that serve the same sessions from one Redis, with a guard on lock masters of its own between them: all of them processes.
/// </summary>
internal sealed class GuardedClusters : IAsyncDisposable
{
    private readonly List<AppProcess> _servers = [];

    private GuardedClusters(RedisServer data, RedisServer[] masters) => (Data, Masters) = (data, masters);

    public RedisServer Data { get; }

    public RedisServer[] Masters { get; }

    /// <summary>The servers of the first cluster.</summary>
    public AppProcess[] Here { get; private set; } = [];

    /// <summary>The servers of the other cluster.</summary>
    public AppProcess[] There { get; private set; } = [];

    public static async Task<GuardedClusters> StartAsync(int masters = 3, int servers = 1, params string[] arguments)
    {
        var data = await RedisServer.StartAsync();
        var locks = await Task.WhenAll(Enumerable.Range(0, masters).Select(_ => RedisServer.StartAsync()));
        var clusters = new GuardedClusters(data, locks);
        clusters.Here = await clusters.StartClusterAsync("here", servers, arguments);
        clusters.There = await clusters.StartClusterAsync("there", servers, arguments);
        return clusters;
    }

    /// <summary>A new visitor at the first cluster, and the same one at the other; with a session that has one property.</summary>
    public async Task<(Browser Here, Browser There)> NewVisitorAsync(int server = 0)
    {
        var here = new Browser(Here[server % Here.Length].Address);
        await here.GetAsync("/set/start/1");
        return (here, here.At(There[server % There.Length].Address));
    }

    /// <summary>The key that a session is guarded by.</summary>
    public static string KeyOf(SessionHandle handle) => $"session:@guard:{handle}";

    /// <summary>Whose lock a master has on a session; null where nobody has.</summary>
    public static async Task<string?> LockAsync(RedisServer master, SessionHandle handle) =>
        await (await master.DatabaseAsync()).StringGetAsync(KeyOf(handle));

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        foreach (var redis in (RedisServer[])[Data, .. Masters])
        {
            await redis.DisposeAsync();
        }
    }

    private async Task<AppProcess[]> StartClusterAsync(string id, int servers, string[] arguments)
    {
        var started = new List<AppProcess>();
        for (var i = 0; i < servers; i++)
        {
            // One after the other: the next ones then find the cluster instead of founding another.
            started.Add(await AppProcess.StartAsync(
                Site.App,
                [
                    $"--SessionActors:Redis={Data.Address}", $"--SessionActors:ClusterId={id}", "--SessionActors:ServiceId=shop",
                    .. Masters.Select((master, n) => $"--SessionActors:CrossCluster:Redlock:{n}={master.Address}"), .. arguments,
                ]));
            _servers.Add(started[^1]);
        }

        return [.. started];
    }
}

/// <summary>What the tests of two clusters ask a visitor's server for.</summary>
internal static class GuardedVisits
{
    /// <summary>Asks until it is done, while servers are busy or masters out of reach. Returns how often it was refused.</summary>
    public static async Task<int> InsistAsync(this Browser visitor, string path)
    {
        var refused = 0;
        await Until.TrueAsync(
            async () =>
            {
                var isDone = await visitor.StatusOfAsync(path) == HttpStatusCode.OK;
                refused += isDone ? 0 : 1;
                return isDone;
            },
            $"{path} is done");
        return refused;
    }

    /// <summary>What a page answers; 503 where the server broke off.</summary>
    public static async Task<HttpStatusCode> StatusOfAsync(this Browser visitor, string path)
    {
        using var response = await visitor.TryGetAsync(path);
        return response.StatusCode;
    }
}

/// <summary>Four servers and up to six Redis at a time are enough for a machine: these tests run by themselves.</summary>
[CollectionDefinition(nameof(GuardedClusters), DisableParallelization = true)]
public sealed class GuardedClustersCollection;
