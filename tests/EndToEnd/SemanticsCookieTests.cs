using Microsoft.Net.Http.Headers;

namespace SessionActors;

/// <summary>What applications know of the cookie of ASP.NET Core's own session and find here unchanged.</summary>
[Collection(nameof(Site))]
public sealed class SemanticsCookieTests(Site site)
{
    [Fact]
    public async Task The_cookie_has_the_attributes_that_it_has_in_ASPNET_Core()
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync("/set/a/x");

        var cookie = Cookie(response)!;
        Assert.Equal(".AspNetCore.Session", cookie.Name.Value);
        Assert.Equal("/", cookie.Path.Value);
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteMode.Lax, cookie.SameSite);
        Assert.Null(cookie.Expires);
        Assert.Null(cookie.MaxAge);
        Assert.False(cookie.Domain.HasValue);
        Assert.False(cookie.Secure);
    }

    [Fact]
    public async Task A_response_with_the_cookie_is_not_to_be_cached()
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync("/set/a/x");

        Assert.Equal("no-store, no-cache", $"{response.Headers.CacheControl}");
        Assert.Equal("no-cache", $"{response.Headers.Pragma}");
        Assert.Equal(["-1"], response.Content.Headers.GetValues("Expires"));
    }

    [Theory]
    [InlineData("/plain")]
    [InlineData("/get/a")]
    [InlineData("/read-only/a")]
    [InlineData("/id")]
    [InlineData("/keys")]
    [InlineData("/remove/a")]
    [InlineData("/fail/a/x")]
    public async Task Without_anything_set_in_a_request_that_succeeds_there_is_no_cookie(string path)
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync(path);

        Assert.Null(Cookie(response));
    }

    [Fact]
    public async Task The_cookie_is_sent_once()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        using var write = await visitor.TryGetAsync("/set/a/y");
        using var read = await visitor.TryGetAsync("/get/a");

        Assert.Null(Cookie(write));
        Assert.Null(Cookie(read));
        Assert.Null(read.Headers.CacheControl);
    }

    [Fact]
    public async Task A_redirect_carries_the_cookie()
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync("/redirect/a/x");

        Assert.NotNull(Cookie(response));
        Assert.Equal("x", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Setting_and_removing_while_the_response_starts_issues_the_cookie()
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync("/starting");

        Assert.NotNull(Cookie(response));
        Assert.Equal("", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_new_session_cannot_be_started_any_more_when_the_response_has_and_says_so()
    {
        using var visitor = site.NewVisitor();

        var page = await visitor.GetAsync("/late/a/x");

        Assert.StartsWith("first The session cannot be established after the response has started", page, StringComparison.Ordinal);
        Assert.Null(visitor.SessionCookie);
    }

    [Fact]
    public async Task A_session_that_is_there_can_be_changed_however_late()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        Assert.Equal("first ", await visitor.GetAsync("/late/a/y"));

        Assert.Equal("y", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_session_with_a_time_out_of_its_own_has_a_cookie_that_outlives_the_browser()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        using var response = await visitor.TryGetAsync("/remember/60");

        var cookie = Cookie(response)!;
        Assert.Equal(TimeSpan.FromMinutes(60), cookie.MaxAge);
        Assert.NotNull(cookie.Expires);
        Assert.Equal("x", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Destroying_the_session_removes_the_cookie_from_the_browser()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        using var response = await visitor.TryGetAsync("/destroy");

        var cookie = Cookie(response)!;
        Assert.Equal(DateTimeOffset.UnixEpoch, cookie.Expires);
        Assert.Equal("/", cookie.Path.Value);
        Assert.Equal("", cookie.Value.Value);
    }

    private static SetCookieHeaderValue? Cookie(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Set-Cookie", out var values) ? SetCookieHeaderValue.Parse(Assert.Single(values)) : null;
}
