namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise09ReadsCostNothingTests(Site site)
{
    private const int Reads = 500;

    [Theory]
    [InlineData("/get/a")]
    [InlineData("/read-only/a")]
    public async Task Reading_an_active_session_at_either_server_costs_no_Redis_command(string path)
    {
        using var first = site.NewVisitor();
        await first.GetAsync("/set/a/x");
        using var second = first.At(site.Second.Address);
        var before = await site.Redis.UsageAsync();

        var scripts = await site.ScriptsOfAsync(async () =>
        {
            for (var i = 0; i < Reads / 2; i++)
            {
                Assert.Equal("x", await first.GetAsync(path));
                Assert.Equal("x", await second.GetAsync(path));
            }
        });

        Assert.Empty(scripts);
        var calls = (await site.Redis.UsageAsync()).Since(before).Calls;
        // Orleans' membership goes on meanwhile, with other commands and far less often than once a read; so do the client's heartbeats.
        Assert.DoesNotContain(calls, call => call.Value >= Reads / 2 && call.Key is not ("ping" or "echo"));
    }

    [Fact]
    public async Task A_visitor_without_a_session_costs_no_Redis_command()
    {
        using var visitor = site.NewVisitor();

        var scripts = await site.ScriptsOfAsync(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal("-", await visitor.GetAsync("/get/a"));
            }
        });

        Assert.Empty(scripts);
        Assert.Null(visitor.SessionCookie);
    }

    [Fact]
    public async Task The_cookie_of_an_ended_session_is_looked_up_once_at_a_server_however_often_it_comes()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        using var stale = new Browser(site.Second.Address) { SessionCookie = visitor.SessionCookie };
        await visitor.GetAsync("/destroy");

        var scripts = await site.ScriptsOfAsync(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal("-", await stale.GetAsync("/get/a"));
            }
        });

        Assert.True(scripts is [] or ["claim"], string.Join(' ', scripts));
    }
}
