namespace SessionActors;

/// <summary>A primary, its replica, and a Sentinel that makes the replica the primary when that is dead, or when it is told to.</summary>
internal sealed class RedisSentinel : IAsyncDisposable
{
    private const string Name = "sessions";

    private RedisServer? _sentinel;

    private RedisSentinel(RedisServer primary, RedisServer replica) => (Primary, Replica) = (primary, replica);

    /// <summary>The primary at first.</summary>
    public RedisServer Primary { get; }

    /// <summary>The replica at first.</summary>
    public RedisServer Replica { get; }

    /// <summary>Where the Sentinel is.</summary>
    public string Address => _sentinel!.Address;

    /// <summary>What StackExchange.Redis connects with.</summary>
    public string ConnectionString => $"{Address},serviceName={Name}";

    /// <summary>Starts all three, and waits until the replica follows and the Sentinel knows of it.</summary>
    public static async Task<RedisSentinel> StartAsync()
    {
        var primary = await RedisServer.StartAsync();
        var three = new RedisSentinel(primary, await RedisServer.StartAsync(new RedisServerSettings { Primary = primary }));
        try
        {
            await Until.TrueAsync(
                async () => (await InfoAsync(three.Replica, "replication")).Contains("master_link_status:up", StringComparison.Ordinal),
                "the replica follows");
            three._sentinel = await RedisServer.StartAsync(new RedisServerSettings
            {
                Sentinel = $"""
                    sentinel monitor {Name} 127.0.0.1 {primary.Port} 1
                    sentinel down-after-milliseconds {Name} 500
                    sentinel failover-timeout {Name} 2000
                    """,
            });
            await Until.TrueAsync(
                async () => (await (await three._sentinel.AdminAsync()).GetServer(three.Address).SentinelReplicasAsync(Name))
                    .Any(replica => replica.Any(said => said is { Key: "runid", Value.Length: > 0 })),
                "the Sentinel knows the replica");
            return three;
        }
        catch
        {
            await three.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the Sentinel make the replica the primary, while the primary is well and does not hear of it yet.</summary>
    public async Task ChangeOverAsync()
    {
        await (await _sentinel!.AdminAsync()).GetServer(Address).SentinelFailoverAsync(Name);
        await FailedOverAsync();
    }

    /// <summary>Waits until the Sentinel has made the replica the primary.</summary>
    public Task FailedOverAsync() => Until.TrueAsync(
        async () => (await InfoAsync(_sentinel!, "sentinel")).Contains($"address={Replica.Address},", StringComparison.Ordinal),
        "the Sentinel has made the replica the primary");

    /// <summary>Does to the old primary what the Sentinel does to it 10 s later: makes it a replica, and closes its connections.</summary>
    public async Task DemoteAsync()
    {
        var old = await Primary.DatabaseAsync();
        await old.ExecuteAsync("REPLICAOF", "127.0.0.1", $"{Replica.Port}");
        await old.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    }

    public async ValueTask DisposeAsync()
    {
        if (_sentinel is not null)
        {
            await _sentinel.DisposeAsync();
        }

        await Replica.DisposeAsync();
        await Primary.DisposeAsync();
    }

    private static async Task<string> InfoAsync(RedisServer server, string section) =>
        await (await server.AdminAsync()).GetServer(server.Address).InfoRawAsync(section) ?? "";
}
