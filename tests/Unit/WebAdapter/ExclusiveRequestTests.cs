using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>Requests that have their session to themselves, and calls of theirs that fail.</summary>
public sealed class ExclusiveRequestTests
{
    private const string Session = "12345678";

    private static readonly Dictionary<string, Func<SessionException>> Failures = new()
    {
        ["lost"] = () => new SessionLeaseLostException(Session),
        ["not applied"] = () => SessionUnavailableException.NotApplied(Session, "no store."),
        ["unknown"] = () => SessionUnavailableException.Unknown(Session, "no answer."),
    };

    [Theory]
    [InlineData("lost")]
    [InlineData("not applied")]
    [InlineData("unknown")]
    public async Task What_a_critical_section_could_not_store_is_not_stored_after_it(string why)
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        var failures = 1;
        site.Failure = method => method == nameof(ISessionGrain.CommitAsync) && failures-- > 0 ? Failures[why]() : null;

        Assert.Equal($"{Failures[why]().GetType().Name}, and then 1", await browser.GetAsync("/critical/a/2"));

        Assert.Equal("1", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task What_was_refused_within_a_lost_critical_section_is_not_stored_after_it()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        var failures = 1;
        site.Failure = method =>
            method == nameof(ISessionGrain.CommitAsync) && failures-- > 0 ? new SessionLeaseLostException(Session) : null;

        Assert.Equal("refused", await browser.GetAsync("/critical-commit/a/2"));

        Assert.Equal("1", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_change_that_nobody_answered_for_does_not_wait_for_the_lease_of_its_own_request()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/first/1");
        var failures = 1;
        site.Failure = method => method == nameof(ISessionGrain.CommitAsync) && failures-- > 0 ? Failures["unknown"]() : null;

        Assert.Equal("done", await browser.GetAsync("/commit-and-critical/b/a"));

        Assert.Equal("a b first", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_lease_that_comes_when_its_request_is_over_is_given_back()
    {
        SessionLease? others = null;
        await using var site = await WebSite.StartAsync(app =>
        {
            Endpoints(app);
            app.MapGet("/give-up", async (HttpContext http, IGrainFactory grains) =>
            {
                others = await grains.GetGrain<ISessionGrain>(http.Session.Id).AcquireAsync();
                _ = http.GetActorSession().AcquireAsync();
                return "given up";
            });
        });
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        Assert.Equal("given up", await browser.GetAsync("/give-up"));

        await others!.DisposeAsync();

        await Until.TrueAsync(
            () => site.Calls.Count(call => call == nameof(ISessionGrain.ReleaseAsync)) == 2, "both leases are given back");
    }

    [Theory]
    [InlineData(UnavailableBehaviour.Fail)]
    [InlineData(UnavailableBehaviour.Ignore)]
    public async Task Where_the_application_ends_the_wait_for_a_turn_it_gives_the_answer(UnavailableBehaviour onUnavailable)
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = onUnavailable, TimeOut);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");

        using var response = await browser.TryGetAsync("/exclusive/a/2?timeout=true");

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal("1", await browser.GetAsync("/get/a"));

        // As the time-outs of ASP.NET Core do, with a time that is over at once.
        static void TimeOut(WebApplication app) => app.Use(async (http, next) =>
        {
            http.RequestAborted = http.Request.Query.ContainsKey("timeout") ? new CancellationToken(canceled: true) : http.RequestAborted;
            try
            {
                await next(http);
            }
            catch (OperationCanceledException)
            {
                http.Response.StatusCode = StatusCodes.Status504GatewayTimeout;
            }
        });
    }

    [Fact]
    public async Task With_Ignore_a_request_that_lost_its_turn_is_refused_all_the_same()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        site.Failure = method => method == nameof(ISessionGrain.CommitAsync) ? new SessionLeaseLostException(Session) : null;

        using var response = await browser.TryGetAsync("/exclusive/a/2");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task With_Ignore_an_exclusive_request_does_not_run_without_its_session()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnUnavailable = UnavailableBehaviour.Ignore);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        site.Failure = method => method == nameof(ISessionGrain.AcquireAsync) ? Failures["not applied"]() : null;

        using var refused = await browser.TryGetAsync("/exclusive/a/2");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
    }

    [Fact]
    public async Task Who_cannot_reach_the_session_for_its_turn_is_told_that_nothing_was_changed()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/a/1");
        site.Failure = method => method == nameof(ISessionGrain.AcquireAsync) ? Failures["unknown"]() : null;

        using var response = await browser.TryGetAsync("/exclusive/a/2");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("Nothing was changed", await WebSite.TextAsync(response), StringComparison.Ordinal);
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
        app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/set/{name}/{value}", Set);
        app.MapGet("/exclusive/{name}/{value}", Set).WithSessionAccess(SessionAccess.Exclusive);
        app.MapGet("/critical/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            try
            {
                await using var lease = await http.GetActorSession().AcquireAsync();
                http.Session.SetString(name, value);
            }
            catch (SessionException e)
            {
                return $"{e.GetType().Name}, and then {http.Session.GetString(name)}";
            }

            return "stored";
        });
        app.MapGet("/critical-commit/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            await using var lease = await http.GetActorSession().AcquireAsync();
            http.Session.SetString(name, value);
            await Assert.ThrowsAsync<SessionLeaseLostException>(() => http.Session.CommitAsync());
            return "refused";
        });
        app.MapGet("/commit-and-critical/{before}/{within}", async (HttpContext http, string before, string within) =>
        {
            http.Session.SetString(before, "x");
            await Assert.ThrowsAsync<SessionUnavailableException>(() => http.Session.CommitAsync());
            await using (await http.GetActorSession().AcquireAsync())
            {
                http.Session.SetString(within, "x");
            }

            return "done";
        });

        static string Set(HttpContext http, string name, string value)
        {
            http.Session.SetString(name, value);
            return "set";
        }
    }
}
