using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;

namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise11HandleNeverReusedTests(Site site)
{
    [Fact]
    public async Task Who_comes_with_the_cookie_of_an_ended_session_gets_a_new_handle()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        using var stale = new Browser(site.Second.Address) { SessionCookie = visitor.SessionCookie };
        await visitor.GetAsync("/destroy");

        await stale.GetAsync("/set/user/eve");

        Assert.NotEqual(handle, stale.Handle);
        Assert.Equal(["@ended"], (await site.StoredAsync(handle)).Keys);
        Assert.Equal("eve", (await site.StoredAsync(stale.Handle))["user"]);
    }

    [Fact]
    public async Task A_log_out_followed_by_a_log_in_in_the_same_browser_is_another_session()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;

        await visitor.GetAsync("/destroy");
        await visitor.GetAsync("/set/user/ann");

        Assert.NotEqual(handle, visitor.Handle);
    }

    [Fact]
    public async Task A_commit_to_a_session_that_is_not_there_is_refused_and_creates_nothing()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        var (automatic, explicitly) = (await visitor.HoldAsync("set", "a", "x"), await visitor.HoldAsync("commit", "b", "y"));
        await (await site.Redis.DatabaseAsync()).KeyDeleteAsync(SiteRedis.KeyOf(handle));

        using var dropped = await automatic.LetGoAsync();
        using var refused = await explicitly.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, dropped.StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Empty(await site.StoredAsync(handle));
    }

    [Fact]
    public async Task A_visitor_cannot_choose_the_handle()
    {
        using var visitor = site.NewVisitor();
        visitor.SessionCookie = Base64Url.EncodeToString([1, .. RandomNumberGenerator.GetBytes(77)]);
        var chosen = visitor.Handle;

        await visitor.GetAsync("/set/user/eve");

        Assert.NotEqual(chosen, visitor.Handle);
        Assert.Empty(await site.StoredAsync(chosen));
    }

    [Fact]
    public async Task A_handle_of_a_session_that_exists_already_is_refused_to_whoever_would_create_it_again()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");

        using var response = await visitor.TryGetAsync($"/create/{visitor.Handle}");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("ann", await visitor.GetAsync("/get/user"));
    }

    [Fact]
    public async Task A_handle_of_a_session_that_was_destroyed_is_refused_to_whoever_would_create_it_again()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        await visitor.GetAsync("/destroy");

        using var response = await visitor.TryGetAsync($"/create/{handle}");

        Assert.Equal(HttpStatusCode.Gone, response.StatusCode);
        Assert.Equal("destroyed", (await site.StoredAsync(handle))["@ended"]);
    }
}
