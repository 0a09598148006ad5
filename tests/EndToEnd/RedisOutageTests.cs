using System.Globalization;
using System.Net;

namespace SessionActors;

/// <summary>Redis goes away and comes back.</summary>
public sealed class RedisOutageTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private AppProcess _app = null!;
    private Browser _visitor = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync(new RedisServerSettings { AppendOnly = true });
        // What is read from memory must not depend on how long a test takes.
        _app = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={_redis.Address}", "--SessionActors:ServingLease=01:00:00");
        _visitor = new Browser(_app.Address);
        await _visitor.GetAsync("/set/a/before");
    }

    [Fact]
    public async Task While_Redis_is_dead_active_sessions_are_read_and_writes_refused_and_afterwards_everything_acknowledged_is_there()
    {
        var acknowledged = 0;
        var refused = 0;
        using var enough = new CancellationTokenSource();
        var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            while (!enough.IsCancellationRequested)
            {
                if (await IncrementAsync())
                {
                    _ = Interlocked.Increment(ref acknowledged) < 200 || busy.TrySetResult();
                }
                else
                {
                    Interlocked.Increment(ref refused);
                }
            }
        }));
        await Until.Async(busy.Task, "the writers are busy");

        _redis.Kill();
        await Until.TrueAsync(() => Volatile.Read(ref refused) > 8, "writes are refused");
        await _redis.RestartAsync();
        await Until.TrueAsync(IncrementedAsync, "writes are taken again");
        await enough.CancelAsync();
        await writing;

        Assert.InRange(await NumberAsync(), acknowledged, acknowledged + refused);
        Assert.Equal("before", await _visitor.GetAsync("/get/a"));

        async Task<bool> IncrementedAsync()
        {
            var done = await IncrementAsync();
            _ = done ? Interlocked.Increment(ref acknowledged) : Interlocked.Increment(ref refused);
            return done;
        }
    }

    [Fact]
    public async Task While_Redis_is_dead_a_session_in_memory_is_read()
    {
        _redis.Kill();

        using var refused = await _visitor.TryGetAsync("/page/text/new");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        var body = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("This is the page", body, StringComparison.Ordinal);
        Assert.Equal("before", await _visitor.GetAsync("/get/a"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _visitor.TryGetAsync("/health/ready")).StatusCode);

        await _redis.RestartAsync();
        await Until.TrueAsync(async () => (await _visitor.TryGetAsync("/set/b/after")).IsSuccessStatusCode, "writes are taken again");
        Assert.Equal("before", await _visitor.GetAsync("/get/a"));
        Assert.Equal("after", await _visitor.GetAsync("/get/b"));
        Assert.Equal("-", await _visitor.GetAsync("/get/page"));
        Assert.Equal("Healthy", await _visitor.GetAsync("/health/ready"));
    }

    [Fact]
    public async Task While_Redis_is_dead_a_session_that_is_not_in_memory_is_refused_before_its_page_runs_or_by_option_seen_as_unavailable()
    {
        await _app.StopAsync();
        await using var failing = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_redis.Address}");
        await using var ignoring = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={_redis.Address}", "--SessionActors:OnUnavailable=Ignore");
        _redis.Kill();

        using var here = _visitor.At(failing.Address);
        using var refused = await here.TryGetAsync("/get/a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal("plain", await new Browser(failing.Address).GetAsync("/plain"));

        using var there = _visitor.At(ignoring.Address);
        Assert.Equal("-", await there.GetAsync("/get/a"));
        Assert.Equal("set", await there.GetAsync("/set/a/dropped"));

        await _redis.RestartAsync();
        await Until.TrueAsync(async () => (await here.TryGetAsync("/get/a")).IsSuccessStatusCode, "the session is read again");
        Assert.Equal("before", await here.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Increments_during_a_pause_of_Redis_end_in_success_or_503_and_are_counted_at_most_once()
    {
        await _visitor.GetAsync("/increment/n");

        await _redis.PauseAsync();
        var early = Enumerable.Range(0, 20).Select(_ => IncrementAsync()).ToArray();
        await Until.Async(Task.WhenAny(early), "one of them gives up");
        var late = Enumerable.Range(0, 20).Select(_ => IncrementAsync()).ToArray();
        await _redis.ResumeAsync();

        var answers = await Task.WhenAll([.. early, .. late]);
        await Until.TrueAsync(async () => (await _visitor.TryGetAsync("/set/b/after")).IsSuccessStatusCode, "writes are taken again");
        var acknowledged = 1 + answers.Count(done => done);
        Assert.InRange(await NumberAsync(), acknowledged, 1 + answers.Length);
        Assert.Contains(false, answers);
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        await _app.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private async Task<bool> IncrementAsync()
    {
        using var response = await _visitor.TryGetAsync("/increment/n");
        Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
        return response.StatusCode == HttpStatusCode.OK;
    }

    private async Task<int> NumberAsync() => int.Parse(await _visitor.GetAsync("/number/n"), CultureInfo.InvariantCulture);
}
