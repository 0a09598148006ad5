using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>The property that MVC keeps TempData in, read and removed as its provider does.</summary>
public sealed class TempDataTakeTests
{
    private const string Property = "__ControllerTempData";

    [Fact]
    public async Task Read_and_removed_it_is_one_call_and_no_commit()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = await WithMessageAsync(site);
        site.Calls.Clear();

        Assert.Equal("hello", await browser.GetAsync("/take"));

        Assert.Equal(["OpenAsync", "TakeAsync"], site.Calls);
        Assert.Equal("-", await browser.GetAsync("/take"));
    }

    [Fact]
    public async Task Read_alone_it_is_put_back_and_read_again_it_is_not_taken_again()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = await WithMessageAsync(site);
        site.Calls.Clear();

        Assert.Equal("hello hello", await browser.GetAsync("/read-twice"));

        Assert.Equal(["OpenAsync", "TakeAsync", "CommitAsync"], site.Calls);
        Assert.Equal("hello", await browser.GetAsync("/take"));
    }

    [Fact]
    public async Task What_a_request_has_set_itself_or_cannot_change_is_not_taken()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = await WithMessageAsync(site);

        Assert.Equal("mine", await browser.GetAsync("/set-and-read"));
        Assert.Equal("mine", await browser.GetAsync("/read-only"));

        Assert.DoesNotContain("TakeAsync", site.Calls);
    }

    [Fact]
    public async Task An_endpoint_that_cannot_change_it_may_remove_what_is_not_there()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var stranger = site.NewBrowser();
        Assert.Equal("-", await stranger.GetAsync("/read-only-take"));

        using var browser = await WithMessageAsync(site);
        using var refused = await browser.TryGetAsync("/read-only-take");
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Equal("hello", await browser.GetAsync("/take"));
        Assert.Equal("-", await browser.GetAsync("/read-only-take"));
    }

    [Fact]
    public async Task A_session_out_of_reach_is_503_or_where_that_is_ignored_a_page_without_the_message()
    {
        await using var failing = await WebSite.StartAsync(Endpoints);
        using var browser = await WithMessageAsync(failing);
        failing.Failure = Unavailable;
        using var response = await browser.TryGetAsync("/take");
        failing.Failure = _ => null;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("hello", await browser.GetAsync("/take"));

        await using var ignoring = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var other = await WithMessageAsync(ignoring);
        ignoring.Failure = Unavailable;
        Assert.Equal("-", await other.GetAsync("/take"));
        ignoring.Failure = _ => null;
        Assert.Contains(WebLog.CommitFailedId, ignoring.Events);
        Assert.Equal("hello", await other.GetAsync("/take"));
    }

    private static SessionUnavailableException? Unavailable(string method) =>
        method == "TakeAsync" ? SessionUnavailableException.NotApplied("12345678", "no store.") : null;

    private static async Task<Browser> WithMessageAsync(WebSite site)
    {
        var browser = site.NewBrowser();
        await browser.GetAsync("/set/hello");
        return browser;
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set/{value}", (HttpContext http, string value) => http.Session.SetString(Property, value));
        app.MapGet("/take", Take);
        app.MapGet("/read-only-take", Take).WithSessionAccess(SessionAccess.ReadOnly);
        app.MapGet("/read-twice", (HttpContext http) => $"{Read(http)} {Read(http)}");
        app.MapGet("/set-and-read", (HttpContext http) =>
        {
            http.Session.SetString(Property, "mine");
            return Read(http);
        });
        app.MapGet("/read-only", (HttpContext http) => $"{Read(http)}").WithSessionAccess(SessionAccess.ReadOnly);
    }

    private static string Take(HttpContext http)
    {
        var value = Read(http);
        http.Session.Remove(Property);
        return value;
    }

    private static string Read(HttpContext http) => http.Session.GetString(Property) ?? "-";
}
