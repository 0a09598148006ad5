using System.Collections.Immutable;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// A real Redis Cluster on free ports of 127.0.0.1: three masters, each a <see cref="RedisServer"/> with a third of the slots, and
/// replicas only for as long as a failover takes.
/// </summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private const int Size = 3;
    private const int Slots = 16_384;
    private const int MigrateTimeoutMs = 10_000;

    private readonly List<RedisServer> _retired = [];
    private ConnectionMultiplexer? _client;

    public ImmutableArray<RedisServer> Masters { get; private set; } = [];

    /// <summary>What StackExchange.Redis connects with: all masters.</summary>
    public string ConnectionString => string.Join(',', Masters.Select(master => master.Address));

    /// <summary>Starts the masters and waits until each of them says that the cluster is whole.</summary>
    public static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < Size; i++)
            {
                cluster.Masters = cluster.Masters.Add(await StartNodeAsync());
            }

            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// All that the masters have, by a connection of the test's own to each of them. A node's own connection was made before there was
    /// a cluster: it begins to connect to the others when they are first asked for, and fails that very command.
    /// </summary>
    public async Task<IDatabase> DatabaseAsync()
    {
        if (_client is null)
        {
            _client = await ConnectionMultiplexer.ConnectAsync(ConnectionString);
            await Until.TrueAsync(() => _client.GetServers().All(node => node.IsConnected), "the test is connected to all masters");
        }

        return _client.GetDatabase();
    }

    /// <summary>The slot that a key is in.</summary>
    public async Task<int> SlotOfAsync(RedisKey key) => (int)await ExecuteAsync(Masters[0], "KEYSLOT", key);

    /// <summary>Moves a slot with all that is in it to the next master, as <c>redis-cli --cluster reshard</c> does.</summary>
    public async Task MoveAsync(int slot)
    {
        var from = await OwnerOfAsync(slot);
        var to = Masters[(Masters.IndexOf(from) + 1) % Size];
        var (fromId, toId) = ((string)(await ExecuteAsync(from, "MYID"))!, (string)(await ExecuteAsync(to, "MYID"))!);
        await ExecuteAsync(to, "SETSLOT", slot, "IMPORTING", fromId);
        await ExecuteAsync(from, "SETSLOT", slot, "MIGRATING", toId);
        // Until none is left: what is created meanwhile is created at its new place.
        while ((string[])(await ExecuteAsync(from, "GETKEYSINSLOT", slot, 100))! is { Length: > 0 } keys)
        {
            await (await ServerAsync(from)).ExecuteAsync(
                "MIGRATE", ["127.0.0.1", to.Port, "", 0, MigrateTimeoutMs, "KEYS", .. keys]);
        }

        // All are told, as by that command: a client follows one wrong answer and not two.
        foreach (var master in Masters.Remove(to).Insert(0, to))
        {
            await ExecuteAsync(master, "SETSLOT", slot, "NODE", toId);
        }
    }

    /// <summary>Kills a master, after a replica has all that it has, and makes the replica the master in its place.</summary>
    public async Task FailOverAsync(int number)
    {
        var (master, replica) = (Masters[number], await StartNodeAsync());
        _retired.Add(master);
        Masters = Masters.SetItem(number, replica);
        var id = (string)(await ExecuteAsync(master, "MYID"))!;
        await MeetAsync(master, replica);
        await Until.TrueAsync(
            async () => ((string)(await ExecuteAsync(replica, "NODES"))!).Contains($"{id} {master.Address}", StringComparison.Ordinal),
            $"{replica.Address} knows {master.Address}");
        await ExecuteAsync(replica, "REPLICATE", id);
        var server = await ServerAsync(replica);
        await Until.TrueAsync(
            async () => (await server.InfoRawAsync("replication"))!.Contains("master_link_status:up", StringComparison.Ordinal),
            $"{replica.Address} has what {master.Address} has");

        master.Kill();
        await ExecuteAsync(replica, "FAILOVER", "TAKEOVER");

        foreach (var node in Masters)
        {
            await WholeAsync(node);
            await Until.TrueAsync(
                async () => (await OwnersAsync(node)).Any(range => range.Port == replica.Port),
                $"{node.Address} takes {replica.Address} for a master");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        foreach (var node in Masters.Concat(_retired))
        {
            await node.DisposeAsync();
        }
    }

    private static Task<RedisServer> StartNodeAsync() => RedisServer.StartAsync(new RedisServerSettings { IsClusterNode = true });

    private static async Task<IServer> ServerAsync(RedisServer master) => (await master.AdminAsync()).GetServer(master.Address);

    private static async Task<RedisResult> ExecuteAsync(RedisServer master, params object[] arguments) =>
        await (await ServerAsync(master)).ExecuteAsync("CLUSTER", arguments);

    private async Task FormAsync()
    {
        for (var i = 0; i < Size; i++)
        {
            // Of two nodes that claim one slot the higher epoch has it, so each needs another.
            await ExecuteAsync(Masters[i], "SET-CONFIG-EPOCH", i + 1);
            await ExecuteAsync(Masters[i], "ADDSLOTSRANGE", Slots * i / Size, (Slots * (i + 1) / Size) - 1);
        }

        foreach (var other in Masters[1..])
        {
            await MeetAsync(Masters[0], other);
        }

        foreach (var master in Masters)
        {
            await WholeAsync(master);
        }
    }

    private static async Task MeetAsync(RedisServer one, RedisServer other) =>
        await ExecuteAsync(one, "MEET", "127.0.0.1", other.Port, other.BusPort);

    private static Task WholeAsync(RedisServer node) => Until.TrueAsync(
        async () => ((string)(await ExecuteAsync(node, "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal),
        $"the cluster is whole for {node.Address}");

    private async Task<RedisServer> OwnerOfAsync(int slot)
    {
        var owner = (await OwnersAsync(Masters[0])).Single(range => range.First <= slot && slot <= range.Last);
        return Masters.Single(master => master.Port == owner.Port);
    }

    /// <summary>Which master has which slots, as a node sees it.</summary>
    private static async Task<(int First, int Last, int Port)[]> OwnersAsync(RedisServer node) =>
        [.. ((RedisResult[])(await ExecuteAsync(node, "SLOTS"))!).Select(range => ((int)range[0], (int)range[1], (int)range[2][1]))];
}
