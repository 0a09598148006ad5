using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Which nodes of a Redis Cluster a silo asks for the proof that it may answer from memory.</summary>
public sealed class RedisClusterProbeTests : IAsyncLifetime
{
    private RedisCluster _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisCluster.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task A_master_that_is_down_is_missed_until_another_one_has_taken_over_and_then_no_more(string host)
    {
        var masters = string.Join(',', _redis.Masters.Select(master => $"{host}:{master.Port}"));
        var options = Options.Create(new SessionActorsOptions { Redis = masters });
        await using var connection = new RedisConnection(options);
        var storage = new RedisSessionStorage(connection, options);
        Assert.True((await storage.ProbeAsync("somebody")).IsAnswered);

        await _redis.FailOverAsync(1);
        await Until.TrueAsync(async () => (await storage.ProbeAsync("somebody")).IsAnswered, "what is left of the cluster answers");

        _redis.Masters[2].Kill();
        await Until.TrueAsync(async () => !(await storage.ProbeAsync("somebody")).IsAnswered, "a master is missed");
    }
}
