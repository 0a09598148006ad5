using System.Net;

namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise12NewSecretInPlaceTests(Site site)
{
    [Fact]
    public async Task A_log_in_gives_the_browser_a_new_secret_and_leaves_the_session_where_it_is()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var (handle, secret) = (visitor.Handle, visitor.Secret);

        await visitor.GetAsync("/regenerate");

        Assert.Equal(handle, visitor.Handle);
        Assert.NotEqual(secret, visitor.Secret);
        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal("tea", await elsewhere.GetAsync("/get/basket"));
        Assert.Equal("2", (await site.StoredAsync(handle))["@generation"]);
    }

    [Fact]
    public async Task The_old_cookie_opens_an_empty_session_at_every_server_whose_changes_go_nowhere()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var old = visitor.SessionCookie;
        await visitor.GetAsync("/regenerate");

        foreach (var server in new[] { site.First, site.Second })
        {
            using var thief = new Browser(server.Address) { SessionCookie = old };
            Assert.Equal("", await thief.GetAsync("/keys"));
            using var response = await thief.TryGetAsync("/set/basket/stolen");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.False(response.Headers.Contains("Set-Cookie"));
        }

        Assert.Equal("tea", await visitor.GetAsync("/get/basket"));
    }

    [Fact]
    public async Task The_old_cookie_cannot_end_the_session()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        using var thief = new Browser(site.Second.Address) { SessionCookie = visitor.SessionCookie };
        await visitor.GetAsync("/regenerate");

        using var response = await thief.TryGetAsync("/destroy");

        Assert.Equal("tea", await visitor.GetAsync("/get/basket"));
    }

    [Fact]
    public async Task What_a_request_from_before_the_rotation_changes_is_dropped()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var (automatic, explicitly) = (await visitor.HoldAsync("set", "a", "x"), await visitor.HoldAsync("commit", "b", "y"));
        await visitor.GetAsync("/regenerate");

        using var dropped = await automatic.LetGoAsync();
        using var refused = await explicitly.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, dropped.StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Equal("basket", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task The_cookie_that_the_browser_got_by_the_rotation_stays_good_when_older_requests_end_after_it()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var late = await visitor.HoldAsync("set", "a", "x");
        await visitor.GetAsync("/regenerate");
        var cookie = visitor.SessionCookie;

        using var response = await late.LetGoAsync();

        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Equal(cookie, visitor.SessionCookie);
        Assert.Equal("tea", await visitor.GetAsync("/get/basket"));
    }
}
