namespace SessionActors;

public sealed class Promise08NeverEarlyTests(Promise08NeverEarlyTests.ShortLived site) : IClassFixture<Promise08NeverEarlyTests.ShortLived>
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TouchInterval = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Redis_keeps_a_session_for_its_idle_time_out_and_one_touch_interval()
    {
        using var visitor = site.NewVisitor();
        var started = TimeProvider.System.GetTimestamp();
        await visitor.GetAsync("/set/a/x");

        var kept = await site.KeptForAsync(visitor.Handle);

        Assert.True(kept <= Ttl + TouchInterval);
        Assert.True(kept + TimeProvider.System.GetElapsedTime(started) >= Ttl + TouchInterval, $"Kept for {kept} only.");
    }

    [Fact]
    public async Task A_session_that_is_only_read_outlives_one_that_nobody_uses()
    {
        using var idle = site.NewVisitor();
        await idle.GetAsync("/set/a/x");
        using var active = site.NewVisitor();
        await active.GetAsync("/set/a/x");
        var reads = new List<string>();

        await Until.TrueAsync(
            async () =>
            {
                reads.Add(await active.GetAsync("/get/a"));
                return !await site.IsStoredAsync(idle.Handle);
            },
            "the idle session has gone");

        Assert.All(reads, read => Assert.Equal("x", read));
        Assert.True(await site.IsStoredAsync(active.Handle));
    }

    [Fact]
    public async Task Who_comes_back_too_late_gets_a_new_session_under_a_new_handle()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        var handle = visitor.Handle;
        await Until.TrueAsync(async () => !await site.IsStoredAsync(handle), "the idle session has gone");

        Assert.Equal("-", await visitor.GetAsync("/get/a"));
        await visitor.GetAsync("/set/a/y");

        Assert.NotEqual(handle, visitor.Handle);
        Assert.Equal("y", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_page_that_polls_without_sliding_does_not_keep_the_session_alive_and_does_not_end_it_early()
    {
        using var visitor = site.NewVisitor();
        var started = TimeProvider.System.GetTimestamp();
        await visitor.GetAsync("/set/a/x");

        await Until.TrueAsync(async () => await visitor.GetAsync("/poll/a") == "-", "the session that is only polled has ended");

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= Ttl);
        Assert.Equal("idle", (await site.Redis.StoredAsync(visitor.Handle))["@ended"]);
    }

    [Fact]
    public async Task A_session_with_a_time_out_of_its_own_is_kept_for_that()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        await visitor.GetAsync("/remember/60");

        Assert.True(await site.KeptForAsync(visitor.Handle) > TimeSpan.FromMinutes(59));
    }

    public sealed class ShortLived : IAsyncLifetime
    {
        private AppProcess? _app;

        internal RedisServer Redis { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Redis = await RedisServer.StartAsync();
            _app = await AppProcess.StartAsync(
                Site.App, $"--SessionActors:Redis={Redis.Address}", $"--SessionActors:Ttl={Ttl}",
                $"--SessionActors:TouchInterval={TouchInterval}");
        }

        public Browser NewVisitor() => new(_app!.Address);

        public async Task<TimeSpan?> KeptForAsync(SessionHandle handle) =>
            await (await Redis.DatabaseAsync()).KeyTimeToLiveAsync(SiteRedis.KeyOf(handle));

        public async Task<bool> IsStoredAsync(SessionHandle handle) => (await Redis.StoredAsync(handle)).ContainsKey("@version");

        public async ValueTask DisposeAsync()
        {
            await _app!.DisposeAsync();
            await Redis.DisposeAsync();
        }
    }
}
