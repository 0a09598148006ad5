using System.Globalization;

namespace SessionActors;

/// <summary>Redis under a Sentinel, which says who the primary is.</summary>
public sealed class SentinelTests : IAsyncLifetime
{
    private RedisSentinel _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisSentinel.StartAsync();

    [Fact]
    public async Task When_the_primary_dies_servers_go_on_with_the_replica_and_everything_acknowledged_is_there()
    {
        await using var one = await StartServerAsync();
        await using var two = await StartServerAsync();
        using var visitor = new Browser(one.Address);
        await visitor.GetAsync("/set/a/before");
        using var there = visitor.At(two.Address);
        Browser[] both = [visitor, there];
        var (acknowledged, sent) = (0, 0);
        using var enough = new CancellationTokenSource();
        var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var counting = Task.WhenAll(both.Select(async browser =>
        {
            while (!enough.IsCancellationRequested)
            {
                Interlocked.Increment(ref sent);
                using var response = await browser.TryGetAsync("/increment/n");
                _ = !response.IsSuccessStatusCode || Interlocked.Increment(ref acknowledged) < 50 || busy.TrySetResult();
            }
        }));
        await Until.Async(Task.WhenAny(busy.Task, counting).Unwrap(), "the visitor is busy at both servers");

        _redis.Primary.Kill();

        await _redis.FailedOverAsync();
        foreach (var browser in both)
        {
            await Until.TrueAsync(
                async () => (await browser.TryGetAsync("/set/a/after")).IsSuccessStatusCode, "writes go on at each server");
        }

        await enough.CancelAsync();
        await Until.Async(counting, "the visitor stops");
        Assert.Equal("after", await there.GetAsync("/get/a"));
        Assert.InRange(int.Parse(await visitor.GetAsync("/number/n"), CultureInfo.InvariantCulture), acknowledged, sent);
        Assert.Equal("after", (await _redis.Replica.StoredAsync(visitor.Handle))["a"]);
        Assert.Equal("Healthy", await there.GetAsync("/health/ready"));
    }

    [Fact]
    public async Task What_the_old_primary_acknowledges_after_a_change_over_is_in_the_new_one_in_the_end()
    {
        await using var app = await StartServerAsync();
        using var visitor = new Browser(app.Address);
        await visitor.GetAsync("/set/a/before");

        await _redis.ChangeOverAsync();

        // The old one takes itself for the primary until it is told, and servers may do so, too.
        var (acknowledged, sent) = (0, 0);
        await Until.TrueAsync(async () => await IncrementAsync() && acknowledged == 5, "some changes are acknowledged");
        await _redis.DemoteAsync();
        await Until.TrueAsync(
            async () => await IncrementAsync() && (await _redis.Replica.StoredAsync(visitor.Handle)).ContainsKey("n"),
            "the new one is written to");
        Assert.InRange(int.Parse(await visitor.GetAsync("/number/n"), CultureInfo.InvariantCulture), acknowledged, sent);
        Assert.Equal("before", (await _redis.Replica.StoredAsync(visitor.Handle))["a"]);

        async Task<bool> IncrementAsync()
        {
            sent++;
            using var response = await visitor.TryGetAsync("/increment/n");
            acknowledged += response.IsSuccessStatusCode ? 1 : 0;
            return response.IsSuccessStatusCode;
        }
    }

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    // How shortly before a loss a session must have been confirmed; far longer than a test takes to get there.
    private Task<AppProcess> StartServerAsync() => AppProcess.StartAsync(
        Site.App, $"--SessionActors:Redis={_redis.ConnectionString}", "--SessionActors:ServingLease=00:00:09");
}
