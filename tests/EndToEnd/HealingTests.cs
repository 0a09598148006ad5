namespace SessionActors;

/// <summary>Redis loses data, and the servers that have it in memory write it back.</summary>
public sealed class HealingTests : IAsyncLifetime
{
    // How shortly before the loss a session must have been confirmed; far longer than a test takes to get there.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(9);

    private RedisServer _redis = null!;
    private LossyProxy _proxy = null!;
    private AppProcess _app = null!;

    public async ValueTask InitializeAsync()
    {
        // Without persistence.
        _redis = await RedisServer.StartAsync();
        _proxy = LossyProxy.Start(_redis.Port);
        _app = await StartAsync();
    }

    [Fact]
    public async Task After_an_empty_restart_of_Redis_active_sessions_and_the_keys_of_cookies_are_there_again_and_idle_ones_have_ended()
    {
        using var idle = new Browser(_app.Address);
        await idle.GetAsync("/set/a/idle");
        var since = TimeProvider.System.GetTimestamp();
        await Until.TrueAsync(
            () => TimeProvider.System.GetElapsedTime(since) > Lease * 2, "the idle one was confirmed long ago");
        var visitors = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            var visitor = new Browser(_app.Address);
            await visitor.GetAsync($"/set/a/{i}");
            await visitor.GetAsync("/increment/n");
            return visitor;
        }));
        var before = await Task.WhenAll(visitors.Select(visitor => _redis.StoredAsync(visitor.Handle)));

        await _redis.RestartAsync();

        var database = await _redis.DatabaseAsync();
        await Until.TrueAsync(
            async () =>
            {
                var stored = await Task.WhenAll(visitors.Select(visitor => database.KeyExistsAsync(SiteRedis.KeyOf(visitor.Handle))));
                return Array.TrueForAll(stored, isThere => isThere);
            },
            "all active sessions are there again");
        var after = await Task.WhenAll(visitors.Select(visitor => _redis.StoredAsync(visitor.Handle)));
        Assert.Equal(before.Select(Untimed), after.Select(Untimed));
        await Until.TrueAsync(() => database.KeyExistsAsync("session:@state:cookiekeys/cookiekeys/0"), "so are the keys of cookies");
        Assert.Equal("-", await idle.GetAsync("/get/a"));
        Assert.Equal("2", await visitors[0].GetAsync("/increment/n"));
        await Until.TrueAsync(() => _app.Output.Contains("20 sessions of this silo", StringComparison.Ordinal), "it is told in the log");

        // In Redis, and not only in the memory of the server.
        _app.Kill();
        await using var fresh = await StartAsync();
        using var moved = visitors[1].At(fresh.Address);
        Assert.Equal("1", await moved.GetAsync("/get/a"));
        Assert.Equal("2", await moved.GetAsync("/increment/n"));
    }

    [Fact]
    public async Task After_a_failover_to_a_replica_that_lags_behind_everything_acknowledged_is_there()
    {
        await using var replica = await RedisServer.StartAsync();
        var copy = await replica.DatabaseAsync();
        await copy.ExecuteAsync("REPLICAOF", "127.0.0.1", $"{_redis.Port}");
        using var changed = new Browser(_app.Address);
        await changed.GetAsync("/set/a/old");
        using var ended = new Browser(_app.Address);
        await ended.GetAsync("/set/a/x");
        await Until.TrueAsync(() => copy.KeyExistsAsync(SiteRedis.KeyOf(ended.Handle)), "the replica has what there is");
        await copy.ExecuteAsync("REPLICAOF", "NO", "ONE");
        var handle = ended.Handle;
        await changed.GetAsync("/set/a/new");
        using var begun = new Browser(_app.Address);
        await begun.GetAsync("/set/a/begun");
        await ended.GetAsync("/destroy");

        _redis.Kill();
        _proxy.Redirect(replica.Port);

        await Until.TrueAsync(
            async () => (await replica.StoredAsync(changed.Handle)).GetValueOrDefault("a") == "new", "what the replica lacked is there");
        await Until.TrueAsync(
            async () => (await replica.StoredAsync(begun.Handle)).GetValueOrDefault("a") == "begun", "so is a session it never had");
        await Until.TrueAsync(
            async () => (await replica.StoredAsync(handle)).GetValueOrDefault("@ended") == "destroyed", "and an end");
        await Until.TrueAsync(async () => (await changed.TryGetAsync("/set/b/y")).IsSuccessStatusCode, "it goes on");
        Assert.Equal("new", await changed.GetAsync("/get/a"));
    }

    [Fact]
    public async Task After_FLUSHALL_sessions_have_ended_and_stay_so()
    {
        using var visitor = new Browser(_app.Address);
        await visitor.GetAsync("/set/a/x");
        var handle = visitor.Handle;
        await (await _redis.AdminAsync()).GetServer(_redis.Address).FlushAllDatabasesAsync();

        await visitor.GetAsync("/set/b/y");

        Assert.Empty(await _redis.StoredAsync(handle));
        Assert.Equal("-", await visitor.GetAsync("/get/a"));
        Assert.Empty(await _redis.StoredAsync(handle));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    // A slot of the ring tells the time, which is told anew.
    private static string Untimed(Dictionary<string, string> stored) => string.Join('\n', stored.OrderBy(field => field.Key)
        .Select(field => $"{field.Key}={(field.Key.StartsWith("@r", StringComparison.Ordinal) && field.Key != "@released"
            ? string.Join(' ', field.Value.Split(' ').Where((_, part) => part != 1)) : field.Value)}"));

    private Task<AppProcess> StartAsync() => AppProcess.StartAsync(
        Site.App, $"--SessionActors:Redis={_proxy.Address}", $"--SessionActors:ServingLease={Lease}");
}
