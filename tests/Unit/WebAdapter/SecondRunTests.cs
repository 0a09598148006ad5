using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>A request that passes the middleware twice: an error page is made by the same pipeline, or it was added twice.</summary>
public sealed class SecondRunTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(Endpoints, around: app =>
    {
        app.UseExceptionHandler("/error");
        app.UseStatusCodePagesWithReExecute("/missing");
    });

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task A_page_for_a_status_adds_to_the_session_that_the_endpoint_began()
    {
        using var browser = _site.NewBrowser();
        using var response = await browser.TryGetAsync("/begin-nothing-found");
        Assert.Equal("a", await WebSite.TextAsync(response));
        Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Equal("a missing", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_page_for_an_error_begins_a_session_after_one_that_was_destroyed()
    {
        using var browser = _site.NewBrowser();
        await browser.GetAsync("/set/a");
        using var response = await browser.TryGetAsync("/destroy-and-fail");
        Assert.Equal("", await WebSite.TextAsync(response));
        Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Equal("error", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_page_for_an_error_sees_the_session_under_its_new_secret()
    {
        using var browser = _site.NewBrowser();
        await browser.GetAsync("/set/a");
        using var response = await browser.TryGetAsync("/regenerate-and-fail");
        Assert.Equal("a", await WebSite.TextAsync(response));
        Assert.Equal("a error", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_page_that_fails_half_way_leaves_nothing_before_the_page_for_the_error()
    {
        await using var site = await WebSite.StartAsync(app =>
        {
            app.UseExceptionHandler("/error");
            Endpoints(app);
        });
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a");
        using var response = await browser.TryGetAsync("/fail-half-way");
        Assert.Equal("a b", await WebSite.TextAsync(response));
        Assert.Equal("a b error", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_middleware_that_was_added_twice_works_as_one()
    {
        using var browser = _site.NewBrowser();
        using var response = await browser.TryGetAsync("/set/a?twice");
        Assert.Single(response.Headers.GetValues("Set-Cookie"));
        _site.Calls.Clear();
        Assert.Equal("a between", await browser.GetAsync("/keys"));
        Assert.Equal(["OpenAsync"], _site.Calls);

        await browser.GetAsync("/set/b?twice");
        Assert.Equal(["OpenAsync", "CommitAsync"], _site.Calls);
    }

    private static void Endpoints(WebApplication app)
    {
        app.UseWhen(http => http.Request.Query.ContainsKey("twice"), branch =>
        {
            branch.Use((http, next) =>
            {
                http.Session.SetString("between", "x");
                return next(http);
            });
            branch.UseActorSession();
        });
        app.MapGet("/keys", Keys);
        app.MapGet("/set/{name}", (HttpContext http, string name) => http.Session.SetString(name, "x"));
        app.MapGet("/begin-nothing-found", (HttpContext http) =>
        {
            http.Session.SetString("a", "x");
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        app.MapGet("/destroy-and-fail", async (HttpContext http) =>
        {
            await http.GetActorSession().DestroyAsync();
            throw new InvalidOperationException("The endpoint failed.");
        });
        app.MapGet("/regenerate-and-fail", async (HttpContext http) =>
        {
            await http.GetActorSession().RegenerateAsync();
            throw new InvalidOperationException("The endpoint failed.");
        });
        app.MapGet("/fail-half-way", (HttpContext http) =>
        {
            http.Session.SetString("b", "x");
            return http.Response.WriteAsJsonAsync(new HalfPage());
        });
        app.MapGet("/missing", (HttpContext http) => KeysAndSet(http, "missing"));
        app.MapGet("/error", (HttpContext http) => KeysAndSet(http, "error"));

        static string KeysAndSet(HttpContext http, string name)
        {
            var keys = Keys(http);
            http.Session.SetString(name, "x");
            return keys;
        }

        static string Keys(HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal));
    }

    private sealed class HalfPage
    {
        public string First { get; } = new('p', 300);

        public string Second => First.Length > 0 ? throw new InvalidOperationException("The page failed.") : First;
    }
}
