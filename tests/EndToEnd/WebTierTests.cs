namespace SessionActors;

/// <summary>Web servers without silos, which keep snapshots of the sessions that they have seen.</summary>
public sealed class WebTierTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private AppProcess _silo = null!;
    private AppProcess _first = null!;
    private AppProcess _second = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _silo = await StartAsync();
        _first = await StartAsync("--Client=true");
        _second = await StartAsync("--Client=true");
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _silo.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Each_sees_at_once_what_the_other_has_changed_and_ended()
    {
        using var visitor = new Browser(_first.Address);
        await visitor.GetAsync("/set/a/0");
        using var elsewhere = new Browser(_second.Address, visitor.Cookies);
        for (var i = 1; i <= 20; i++)
        {
            await visitor.GetAsync($"/set/a/{i}");
            Assert.Equal($"{i}", await elsewhere.GetAsync("/get/a"));
            await elsewhere.GetAsync(i % 2 == 0 ? "/remove/b" : $"/set/b/{i}");
            Assert.Equal(i % 2 == 0 ? "-" : $"{i}", await visitor.GetAsync("/get/b"));
        }

        await visitor.GetAsync("/clear");
        Assert.Equal("", await elsewhere.GetAsync("/keys"));
        await visitor.GetAsync("/set/c/1");
        Assert.Equal("c", await elsewhere.GetAsync("/keys"));

        await visitor.GetAsync("/destroy");

        Assert.Equal("", await elsewhere.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_snapshot_from_before_the_session_moved_is_not_taken_for_one_of_now()
    {
        using var visitor = new Browser(_first.Address);
        using var elsewhere = new Browser(_second.Address, visitor.Cookies);
        await visitor.GetAsync("/set/a/1");
        Assert.Equal("1", await elsewhere.GetAsync("/get/a"));
        await using var next = await StartAsync();

        _silo.Kill();

        await visitor.GetAsync("/set/a/2");
        Assert.Equal("2", await elsewhere.GetAsync("/get/a"));
        Assert.Equal("2", await visitor.GetAsync("/get/a"));
    }

    private Task<AppProcess> StartAsync(params string[] arguments) =>
        AppProcess.StartAsync(Site.App, [$"--SessionActors:Redis={_redis.Address}", .. arguments]);
}
