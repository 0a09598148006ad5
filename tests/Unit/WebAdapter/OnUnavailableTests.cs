using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>What an application gets that asked for less than the defaults.</summary>
public sealed class OnUnavailableTests
{
    [Fact]
    public async Task With_Ignore_a_request_goes_on_without_a_session_that_cannot_be_opened()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/1");

        site.Failure = method => method == "OpenAsync" ? SessionUnavailableException.NotApplied("12345678", "no store.") : null;
        Assert.Equal("False -", await browser.GetAsync("/get"));
        await browser.GetAsync("/set/2");
        Assert.Equal("refused", await browser.GetAsync("/set-and-commit/2"));
        Assert.Contains(WebLog.OpeningFailedId, site.Events);

        site.Failure = _ => null;
        Assert.Equal("True 1", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task With_Ignore_a_commit_that_fails_is_only_logged()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/1");

        site.Failure = method => method == "CommitAsync" ? SessionUnavailableException.NotApplied("12345678", "no store.") : null;
        Assert.Equal("set", await browser.GetAsync("/set/2"));
        Assert.Contains(WebLog.CommitFailedId, site.Events);
        Assert.Equal("True 1", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task With_Ignore_a_commit_that_is_refused_by_a_session_in_reach_is_answered_as_ever()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/1");

        using (var large = await browser.TryGetAsync("/large"))
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        }

        site.Failure = method => method == "CommitAsync" ? SessionLeaseTimeoutException.Crowded("12345678", 1) : null;
        using var crowded = await browser.TryGetAsync("/set/2");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, crowded.StatusCode);
    }

    [Fact]
    public async Task A_session_that_comes_back_is_loaded_on_demand()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/1");

        var failures = 1;
        site.Failure = method => method == "OpenAsync" && failures-- > 0
            ? SessionUnavailableException.NotApplied("12345678", "no store.")
            : null;
        Assert.Equal("True 1", await browser.GetAsync("/load"));
    }

    [Fact]
    public async Task A_silo_that_goes_away_while_a_session_is_opened_is_not_noticed()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/1");

        var failures = 2;
        site.Failure = method => failures-- > 0 ? SessionUnavailableException.TakenOver("12345678") : null;
        Assert.Equal("True 1", await browser.GetAsync("/get"));
        failures = 3;
        await browser.GetAsync("/set/2");
        Assert.Equal("True 2", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task A_visitor_who_refuses_cookies_has_a_session_for_the_request_only_and_nothing_is_stored()
    {
        await using var site = await WebSite.StartAsync(
            Endpoints, around: app => app.UseCookiePolicy(new CookiePolicyOptions { CheckConsentNeeded = _ => true }));
        using var browser = site.NewBrowser();
        Assert.Equal("set", await browser.GetAsync("/set/1"));
        Assert.Equal("2", await browser.GetAsync("/set-and-commit/2"));
        Assert.Null(browser.SessionCookie);
        Assert.Empty(site.Calls);

        Assert.Equal("3", await browser.GetAsync("/consent-and-set/3"));
        Assert.Equal("True 3", await browser.GetAsync("/get"));
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get", Read);
        app.MapGet("/large", (HttpContext http) => http.Session.Set("a", new byte[100_000]));
        app.MapGet("/load", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            return Read(http);
        });
        app.MapGet("/set/{value}", (HttpContext http, string value) =>
        {
            http.Session.SetString("a", value);
            return "set";
        });
        app.MapGet("/set-and-commit/{value}", async (HttpContext http, string value) =>
        {
            http.Session.SetString("a", value);
            try
            {
                await http.Session.CommitAsync();
                return http.Session.GetString("a");
            }
            catch (SessionUnavailableException)
            {
                return "refused";
            }
        });
        app.MapGet("/consent-and-set/{value}", (HttpContext http, string value) =>
        {
            http.Features.GetRequiredFeature<ITrackingConsentFeature>().GrantConsent();
            http.Session.SetString("a", value);
            return http.Session.GetString("a");
        });

        static string Read(HttpContext http) => $"{http.Session.IsAvailable} {http.Session.GetString("a") ?? "-"}";
    }
}
