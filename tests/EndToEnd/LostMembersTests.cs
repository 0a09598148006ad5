using StackExchange.Redis;

namespace SessionActors;

/// <summary>Redis loses the list of the cluster's servers, and they write it back.</summary>
public sealed class LostMembersTests
{
    [Fact]
    public async Task After_Redis_is_emptied_the_cluster_misses_a_server_that_dies_takes_in_a_new_one_and_lets_one_go()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartAsync(redis);
        await using var two = await StartAsync(redis);
        var database = await redis.DatabaseAsync();
        var list = (string)Assert.Single((string[])(await database.ExecuteAsync("KEYS", "*@members:*"))!);
        await Until.TrueAsync(async () => (await NamesAsync(database, list)).Length == 3, "both are in the list, besides its version");
        var (names, version) = (string.Join(' ', await NamesAsync(database, list)), await VersionAsync(database, list));

        await database.ExecuteAsync("FLUSHALL");
        await Until.TrueAsync(
            async () => string.Join(' ', await NamesAsync(database, list)) == names && await VersionAsync(database, list) >= version,
            "the list is as it was");

        using var visitor = new Browser(one.Address);
        await visitor.GetAsync("/set/a/x");
        one.Kill();
        await using var three = await StartAsync(redis);
        using var moved = visitor.At(three.Address);
        Assert.Equal("x", await moved.GetAsync("/get/a"));
        await Until.Async(two.StopAsync(), "an orderly stop ends");
        Assert.Equal("x", await moved.GetAsync("/get/a"));
        await Until.TrueAsync(
            () => (one.Output + two.Output).Contains("list of the cluster's silos", StringComparison.Ordinal), "it is told in the log");
    }

    [Fact]
    public async Task After_Redis_is_emptied_sessions_that_begin_then_outlive_the_server_that_had_the_keys_of_cookies()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartAsync(redis);
        await using var two = await StartAsync(redis);
        var database = await redis.DatabaseAsync();
        using var before = new Browser(one.Address);
        await before.GetAsync("/set/a/before");
        using var elsewhere = before.At(two.Address);
        Assert.Equal("before", await elsewhere.GetAsync("/get/a"));

        await database.ExecuteAsync("FLUSHALL");
        using var visitor = new Browser(two.Address);
        await visitor.GetAsync("/set/a/x");
        await Until.TrueAsync(
            () => database.KeyExistsAsync("session:@state:cookiekeys/cookiekeys/0"), "the servers have written the keys back");
        one.Kill();
        two.Kill();
        await using var three = await StartAsync(redis);

        using var moved = visitor.At(three.Address);
        Assert.Equal("x", await moved.GetAsync("/get/a"));
    }

    private static async Task<string[]> NamesAsync(IDatabase database, string list) =>
        [.. (await database.HashKeysAsync(list)).Select(name => (string)name!).Order(StringComparer.Ordinal)];

    private static async Task<long> VersionAsync(IDatabase database, string list) => (long)await database.HashGetAsync(list, "Version");

    private static Task<AppProcess> StartAsync(RedisServer redis) =>
        AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={redis.Address}");
}
