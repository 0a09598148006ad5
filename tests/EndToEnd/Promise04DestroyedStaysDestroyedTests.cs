using System.Net;

namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise04DestroyedStaysDestroyedTests(Site site)
{
    [Fact]
    public async Task A_request_that_began_before_the_log_out_does_not_bring_the_session_back()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var (handle, cookie) = (visitor.Handle, visitor.SessionCookie);
        using var elsewhere = visitor.At(site.Second.Address);
        var (here, there) = (await visitor.HoldAsync("set", "late", "x"), await elsewhere.HoldAsync("set", "late", "y"));

        await visitor.GetAsync("/destroy");
        using var first = await here.LetGoAsync();
        using var second = await there.LetGoAsync();

        // Their changes are dropped, and their pages go out.
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal(new Dictionary<string, string> { ["@ended"] = "destroyed" }, await site.StoredAsync(handle));
        foreach (var server in new[] { site.First, site.Second })
        {
            using var thief = new Browser(server.Address) { SessionCookie = cookie };
            Assert.Equal("", await thief.GetAsync("/keys"));
        }
    }

    [Fact]
    public async Task However_late_the_request_comes_it_does_not_bring_the_session_back()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        var late = await visitor.HoldAsync("set", "late", "x");
        await visitor.GetAsync("/destroy");
        // The tombstone's time is over.
        await (await site.Redis.DatabaseAsync()).KeyDeleteAsync(SiteRedis.KeyOf(handle));

        using var response = await late.LetGoAsync();

        Assert.Empty(await site.StoredAsync(handle));
    }

    [Fact]
    public async Task A_commit_that_the_application_makes_itself_throws_once_the_session_is_destroyed()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        var late = await visitor.HoldAsync("commit", "late", "x");

        await visitor.GetAsync("/destroy");
        using var response = await late.LetGoAsync();

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain("late", (await site.StoredAsync(handle)).Keys);
    }

    [Fact]
    public async Task A_log_out_removes_the_cookie_and_all_data()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;

        await visitor.GetAsync("/destroy");

        Assert.Null(visitor.SessionCookie);
        Assert.Equal(["@ended"], (await site.StoredAsync(handle)).Keys);
    }

    [Fact]
    public async Task A_log_out_at_one_server_holds_at_the_other_at_once()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        using var elsewhere = new Browser(site.Second.Address) { SessionCookie = visitor.SessionCookie };
        Assert.Equal("ann", await elsewhere.GetAsync("/get/user"));

        await visitor.GetAsync("/destroy");

        Assert.Equal("-", await elsewhere.GetAsync("/get/user"));
    }
}
