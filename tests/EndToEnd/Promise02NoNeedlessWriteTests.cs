namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise02NoNeedlessWriteTests(Site site)
{
    [Fact]
    public async Task Setting_a_property_to_the_value_it_has_writes_nothing()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        var scripts = await site.ScriptsOfAsync(() => visitor.GetAsync("/set/a/x"));

        Assert.Empty(scripts);
        Assert.Equal("1", await visitor.GetAsync("/version"));
    }

    [Fact]
    public async Task Changes_that_cancel_each_other_out_write_nothing()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        var scripts = await site.ScriptsOfAsync(() => visitor.GetAsync("/change-nothing/a"));

        Assert.Empty(scripts);
        Assert.Equal("1", await visitor.GetAsync("/version"));
    }

    [Fact]
    public async Task Two_servers_that_set_the_same_value_write_it_once()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        using var elsewhere = visitor.At(site.Second.Address);
        var (one, other) = (await visitor.HoldAsync("set", "a", "y"), await elsewhere.HoldAsync("set", "a", "y"));

        var scripts = await site.ScriptsOfAsync(async () =>
        {
            using var first = await one.LetGoAsync();
            using var second = await other.LetGoAsync();
        });

        Assert.Equal(["commit"], scripts);
        Assert.Equal("2", await visitor.GetAsync("/version"));
    }

    [Fact]
    public async Task A_change_that_is_forgotten_is_not_written()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        var scripts = await site.ScriptsOfAsync(() => visitor.GetAsync("/forget/a/y"));

        Assert.Empty(scripts);
        Assert.Equal("x", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Removing_what_is_not_there_and_clearing_a_session_that_is_nowhere_start_no_session()
    {
        using var visitor = site.NewVisitor();

        var scripts = await site.ScriptsOfAsync(async () =>
        {
            await visitor.GetAsync("/remove/a");
            await visitor.GetAsync("/clear");
        });

        Assert.Empty(scripts);
        Assert.Null(visitor.SessionCookie);
    }
}
