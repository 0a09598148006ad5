using System.Net;

namespace SessionActors;

/// <summary>Cookie authentication beside the session: who signs in gets a new secret, who signs out leaves nothing behind.</summary>
[Collection(nameof(Site))]
public sealed class SignInTests(Site site)
{
    [Fact]
    public async Task A_cookie_that_somebody_planted_is_worth_nothing_after_the_sign_in()
    {
        using var attacker = site.NewVisitor();
        await attacker.GetAsync("/set/basket/tea");
        using var victim = new Browser(site.First.Address) { SessionCookie = attacker.SessionCookie };

        Assert.Equal("ada", await victim.GetAsync("/sign-in/ada"));

        Assert.Equal(attacker.Handle, victim.Handle);
        Assert.NotEqual(attacker.SessionCookie, victim.SessionCookie);
        Assert.Equal("tea", await victim.GetAsync("/get/basket"));
        Assert.Equal("ada ada", await victim.GetAsync("/user"));
        using var elsewhere = attacker.At(site.Second.Address);
        Assert.Equal("", await elsewhere.GetAsync("/keys"));
        Assert.Equal("- -", await elsewhere.GetAsync("/user"));
    }

    [Fact]
    public async Task A_visitor_without_a_session_has_one_after_the_sign_in()
    {
        using var visitor = site.NewVisitor();

        Assert.Equal("bob", await visitor.GetAsync("/sign-in/bob?name=a&value=x"));

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal(("bob bob", "x"), (await elsewhere.GetAsync("/user"), await elsewhere.GetAsync("/get/a")));
        var device = Assert.Single((await elsewhere.GetAsync("/devices")).Split('\n'));
        Assert.StartsWith($"{visitor.Handle} ", device, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", device, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_takes_its_cookie()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/sign-in/cid?name=a&value=x");
        var cookie = visitor.SessionCookie;

        await visitor.GetAsync("/sign-out");

        Assert.Null(visitor.SessionCookie);
        Assert.Equal("- -", await visitor.GetAsync("/user"));
        using var thief = new Browser(site.Second.Address) { SessionCookie = cookie };
        Assert.Equal("-", await thief.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Whoever_signs_in_as_somebody_else_begins_with_an_empty_session()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/sign-in/dan?name=a&value=x");
        var (handle, cookie) = (visitor.Handle, visitor.SessionCookie);

        Assert.Equal("eve", await visitor.GetAsync("/sign-in/eve"));

        Assert.NotEqual(handle, visitor.Handle);
        Assert.Equal("", await visitor.GetAsync("/keys"));
        Assert.Equal(["@ended"], (await site.StoredAsync(handle)).Keys);
        using var thief = new Browser(site.Second.Address) { SessionCookie = cookie };
        Assert.Equal("-", await thief.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Signing_in_again_as_the_same_user_keeps_the_session_under_a_new_secret()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/sign-in/fay?name=a&value=x");
        var (handle, secret) = (visitor.Handle, visitor.Secret);

        await visitor.GetAsync("/sign-in/fay");

        Assert.Equal(handle, visitor.Handle);
        Assert.NotEqual(secret, visitor.Secret);
        Assert.Equal("x", await visitor.GetAsync("/get/a"));
        Assert.Single((await visitor.GetAsync("/devices")).Split('\n'));
    }

    [Fact]
    public async Task Of_two_that_sign_in_at_once_both_are_in_and_the_browser_keeps_the_one_cookie()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var first = await visitor.HoldAsync(gate => $"/slow-sign-in/{gate}/gus");
        var second = await visitor.HoldAsync(gate => $"/slow-sign-in/{gate}/gus");

        using var one = await first.LetGoAsync();
        var cookie = visitor.SessionCookie;
        using var other = await second.LetGoAsync();

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (one.StatusCode, other.StatusCode));
        Assert.Equal(cookie, visitor.SessionCookie);
        Assert.Equal(3, (await visitor.GetAsync("/keys")).Split(' ').Length);
        Assert.Equal("gus gus", await visitor.GetAsync("/user"));
    }

    [Fact]
    public async Task A_sign_in_that_runs_into_anothers_gets_no_hold_of_their_session()
    {
        using var attacker = site.NewVisitor();
        await attacker.GetAsync("/set/basket/tea");
        using var victim = new Browser(site.First.Address) { SessionCookie = attacker.SessionCookie };
        var late = await attacker.HoldAsync(gate => $"/slow-sign-in/{gate}/mal");
        await victim.GetAsync("/sign-in/hal");

        using var answer = await late.LetGoAsync();

        Assert.Equal("basket", await victim.GetAsync("/keys"));
        Assert.Equal("hal hal", await victim.GetAsync("/user"));
        Assert.DoesNotContain("hal", await attacker.GetAsync("/user"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_site_says_of_a_visitor_signs_nobody_in()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/basket/tea");
        var cookie = visitor.SessionCookie;

        Assert.Equal("-", await visitor.GetAsync("/sign-in/ida?scheme=External"));
        await visitor.GetAsync("/sign-out?scheme=External");

        Assert.Equal(cookie, visitor.SessionCookie);
        Assert.Equal("tea", await visitor.GetAsync("/get/basket"));
    }

    [Fact]
    public async Task Logged_out_everywhere_else_the_others_are_out_with_their_next_request()
    {
        using var here = site.NewVisitor();
        using var there = new Browser(site.Second.Address);
        await here.GetAsync("/sign-in/jan");
        await there.GetAsync("/sign-in/jan");
        Assert.Equal(2, (await here.GetAsync("/devices")).Split('\n').Length);

        await here.GetAsync("/log-out-everywhere?others=true");

        Assert.Equal("jan jan", await here.GetAsync("/user"));
        Assert.EndsWith(" -", await there.GetAsync("/user"), StringComparison.Ordinal);
        Assert.Single((await here.GetAsync("/devices")).Split('\n'));
    }

    [Fact]
    public async Task A_session_is_bound_without_authentication_too()
    {
        using var visitor = site.NewVisitor();

        await visitor.GetAsync("/bind/kim");

        Assert.Equal("- kim", await visitor.GetAsync("/user"));
        Assert.EndsWith(" a test", await visitor.GetAsync("/devices"), StringComparison.Ordinal);
        using var refused = await visitor.TryGetAsync("/bind/lou");
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
    }
}
