using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>A request at its session, through the front door.</summary>
public sealed class SessionRequestTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(Endpoints, around: app =>
        app.Use(async (http, next) =>
        {
            try
            {
                await next(http);
            }
            finally
            {
                _featuresAfter = http.Features.Get<ISessionFeature>();
                _bodyAfter = http.Features.Get<IHttpResponseBodyFeature>();
            }
        }));

    private ISessionFeature? _featuresAfter;
    private IHttpResponseBodyFeature? _bodyAfter;

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task A_visitor_who_sets_nothing_costs_no_call_and_gets_no_cookie()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("-", await browser.GetAsync("/get/a"));
        await browser.GetAsync("/clear");
        Assert.Empty(_site.Calls);
        Assert.Null(browser.SessionCookie);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("!YPYoMAAawULngAAAAD_LiMh73rJUnDuyLxb7fXMtr_g9-o8PRV9_Ei71ItMK3zicq-zCfweIEMILpCBgixZjCWbqkpxoaPuPNGLA8E7")]
    [InlineData("AYPYoMAAawULngAAAAD_LiMh73rJUnDuyLxb7fXMtr_g9-o8PRV9_Ei71ItMK3zicq-zCfweIEMILpCBgixZjCWbqkpxoaPuPNGLA8E7")]
    public async Task A_cookie_that_is_not_ours_troubles_no_session(string cookie)
    {
        using var browser = _site.NewBrowser();
        browser.SessionCookie = cookie;
        Assert.Equal("-", await browser.GetAsync("/get/a"));
        Assert.Equal("-", await browser.GetAsync("/get/a"));
        Assert.True(_site.Calls.Count <= 1, string.Join(' ', _site.Calls));
        Assert.DoesNotContain("OpenAsync", _site.Calls);
        Assert.Contains(WebLog.CookieRefusedId, _site.Events);
    }

    [Fact]
    public async Task A_read_is_one_call_at_most_and_a_write_of_what_is_there_no_more()
    {
        using var browser = await WithAsync("a", "1");
        _site.Calls.Clear();
        Assert.Equal("1", await browser.GetAsync("/get/a"));
        await browser.GetAsync("/set/a/1");
        // The second one finds it at hand.
        Assert.Equal(["OpenAsync"], _site.Calls);
        await browser.GetAsync("/set/a/2");
        Assert.Equal(["OpenAsync", "CommitAsync"], _site.Calls);
    }

    [Fact]
    public async Task An_endpoint_without_a_session_makes_no_call_and_has_none()
    {
        using var browser = await WithAsync("a", "1");
        _site.Calls.Clear();
        Assert.Equal("none", await browser.GetAsync("/none"));
        Assert.Empty(_site.Calls);
    }

    [Fact]
    public async Task A_read_only_endpoint_reads_and_refuses_changes()
    {
        using var browser = await WithAsync("a", "1");
        Assert.Equal("1 refused refused refused refused", await browser.GetAsync("/read-only"));
    }

    [Fact]
    public async Task The_feature_is_gone_afterwards_also_after_an_exception()
    {
        using var browser = await WithAsync("a", "1");
        Assert.Null(_featuresAfter);
        Assert.IsNotType<SessionResponseBody>(_bodyAfter);
        using var failed = await browser.TryGetAsync("/throw/b/2");
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Null(_featuresAfter);
        Assert.IsNotType<SessionResponseBody>(_bodyAfter);
    }

    [Fact]
    public async Task An_unhandled_exception_creates_no_session_and_keeps_changes_to_one_that_is_there()
    {
        using var stranger = _site.NewBrowser();
        using var first = await stranger.TryGetAsync("/throw/a/1");
        Assert.Null(stranger.SessionCookie);
        Assert.DoesNotContain("CreateAsync", _site.Calls);

        using var browser = await WithAsync("a", "1");
        using var second = await browser.TryGetAsync("/throw/a/2");
        Assert.Equal(HttpStatusCode.InternalServerError, second.StatusCode);
        Assert.Equal("2", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_new_session_cannot_begin_after_the_response_and_an_old_one_can_change()
    {
        using var stranger = _site.NewBrowser();
        Assert.Equal("first too late", await stranger.GetAsync("/stream/a/1"));
        using var browser = await WithAsync("a", "1");
        Assert.Equal("first set", await browser.GetAsync("/stream/a/2"));
        Assert.Equal("2", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Set_and_removed_again_begins_a_session()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("set", await browser.GetAsync("/begin-and-stream/a/1"));
        Assert.NotNull(browser.SessionCookie);
        Assert.Equal("1", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task The_id_is_the_handle_from_the_first_request_on()
    {
        using var browser = _site.NewBrowser();
        var id = await browser.GetAsync("/set/a/1");
        Assert.True(SessionHandle.TryParse(id, out _));
        Assert.Equal(id, await browser.GetAsync("/id"));
    }

    [Fact]
    public async Task A_destroyed_session_is_not_looked_up_and_what_is_set_next_is_another()
    {
        using var browser = await WithAsync("a", "1");
        var (cookie, id) = (browser.SessionCookie, await browser.GetAsync("/id"));
        await browser.GetAsync("/destroy");
        Assert.Null(browser.SessionCookie);
        browser.SessionCookie = cookie;
        _site.Calls.Clear();
        Assert.NotEqual(id, await browser.GetAsync("/set/b/2"));
        Assert.Equal(["CreateAsync"], _site.Calls);
        Assert.Equal("-", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Destroyed_and_set_in_one_request_is_a_new_session_with_its_own_cookie()
    {
        using var browser = await WithAsync("a", "1");
        var id = await browser.GetAsync("/id");
        Assert.NotEqual(id, await browser.GetAsync("/destroy-and-set/b/2"));
        Assert.Equal("b", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task An_old_secret_gets_an_empty_session_whose_changes_are_dropped()
    {
        using var browser = await WithAsync("a", "1");
        var old = browser.SessionCookie;
        await browser.GetAsync("/regenerate");
        Assert.NotEqual(old, browser.SessionCookie);

        using var thief = _site.NewBrowser();
        thief.SessionCookie = old;
        Assert.Equal("-", await thief.GetAsync("/get/a"));
        await thief.GetAsync("/set/a/2");
        await thief.GetAsync("/destroy");
        Assert.Equal(old, thief.SessionCookie);
        using var explicitly = await thief.TryGetAsync("/commit/a/2");
        Assert.Equal(HttpStatusCode.InternalServerError, explicitly.StatusCode);
        Assert.Equal("1", await browser.GetAsync("/get/a"));
        Assert.Contains(WebLog.SessionSupersededId, _site.Events);
    }

    [Fact]
    public async Task The_changes_of_a_request_whose_session_ended_are_dropped_and_its_response_goes_out()
    {
        using var browser = await WithAsync("a", "1");
        var cookie = browser.SessionCookie;
        _site.Failure = method => method == "CommitAsync" ? new SessionDestroyedException("12345678", SessionEndReason.Destroyed) : null;
        await browser.GetAsync("/set/a/2");
        Assert.Equal(cookie, browser.SessionCookie);
        Assert.Contains(WebLog.ChangesDroppedId, _site.Events);
        using var explicitly = await browser.TryGetAsync("/commit/a/2");
        Assert.Equal(HttpStatusCode.InternalServerError, explicitly.StatusCode);
    }

    [Fact]
    public async Task A_commit_tried_again_has_the_same_request_id()
    {
        using var browser = await WithAsync("a", "1");
        var failures = 1;
        _site.Failure = method => method == "CommitAsync" && failures-- > 0
            ? SessionUnavailableException.Unknown("12345678", "no answer.")
            : null;
        Assert.Equal("unknown, then stored as version 2", await browser.GetAsync("/commit-twice"));
        Assert.Equal("2", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_session_that_cannot_be_opened_is_503_before_the_endpoint_runs()
    {
        using var browser = await WithAsync("a", "1");
        _site.Failure = method => method == "OpenAsync" ? SessionUnavailableException.NotApplied("12345678", "no store.") : null;
        using var response = await browser.TryGetAsync("/get/a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal("none", await browser.GetAsync("/none"));
    }

    [Fact]
    public async Task Incrementing_counts_in_the_session_and_shows_at_once()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("5 5", await browser.GetAsync("/increment/n/5"));
        Assert.Equal("3000000005", (await browser.GetAsync("/increment/n/3000000000")).Split(' ')[0]);
        Assert.Equal("commit first", await browser.GetAsync("/set-and-increment/n"));
    }

    [Fact]
    public async Task Json_goes_in_and_out_and_what_is_forgotten_is_not_kept()
    {
        using var browser = await WithAsync("a", "1");
        Assert.Equal("blue 7", await browser.GetAsync("/json"));
        Assert.Equal("a json", await browser.GetAsync("/keys"));
        await browser.GetAsync("/forget/b/1");
        Assert.Equal("a json", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_cookie_of_its_own_lifetime_is_sent_again_past_half_of_it()
    {
        using var browser = await WithAsync("a", "1");
        await browser.GetAsync("/remember/60");
        _site.Time.Advance(TimeSpan.FromMinutes(29));
        Assert.Null(await SetCookieAsync(browser));
        _site.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("max-age=3600", await SetCookieAsync(browser), StringComparison.Ordinal);
        Assert.Null(await SetCookieAsync(browser));
        Assert.Equal("1", await browser.GetAsync("/get/a"));
    }

    private static async Task<string?> SetCookieAsync(Browser browser)
    {
        using var response = await browser.TryGetAsync("/get/a");
        return response.Headers.TryGetValues("Set-Cookie", out var values) ? values.Single() : null;
    }

    private async Task<Browser> WithAsync(string name, string value)
    {
        var browser = _site.NewBrowser();
        await browser.GetAsync($"/set/{name}/{value}");
        return browser;
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
        app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/id", (HttpContext http) => http.Session.Id);
        app.MapGet("/clear", (HttpContext http) => http.Session.Clear());
        app.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) =>
        {
            http.Session.SetString(name, value);
            return http.Session.Id;
        });
        app.MapGet("/none", (HttpContext http) => http.Features.Get<ISessionFeature>() is null ? "none" : "some")
            .WithSessionAccess(SessionAccess.None);
        app.MapGet("/read-only", (HttpContext http) => string.Join(
            ' ',
            http.Session.GetString("a"),
            Refused(() => http.Session.SetString("a", "2")),
            Refused(() => http.Session.Remove("a")),
            Refused(http.Session.Clear),
            Refused(() => http.GetActorSession().Ttl = TimeSpan.FromHours(1)))).WithSessionAccess(SessionAccess.ReadOnly, slide: false);
        app.MapGet("/throw/{name}/{value}", (HttpContext http, string name, string value) =>
        {
            http.Session.SetString(name, value);
            throw new InvalidOperationException("The endpoint failed.");
        });
        app.MapGet("/stream/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            await http.Response.WriteAsync("first ");
            await http.Response.WriteAsync(Refused(() => http.Session.SetString(name, value)) == "refused" ? "too late" : "set");
        });
        app.MapGet("/begin-and-stream/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            http.Response.OnStarting(() =>
            {
                http.Session.SetString("begin", "");
                http.Session.Remove("begin");
                return Task.CompletedTask;
            });
            await http.Response.WriteAsync("set");
            http.Session.SetString(name, value);
        });
        app.MapGet("/destroy", (HttpContext http) => http.GetActorSession().DestroyAsync());
        app.MapGet("/destroy-and-set/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            await http.GetActorSession().DestroyAsync();
            http.Session.SetString(name, value);
            return http.Session.Id;
        });
        app.MapGet("/regenerate", (HttpContext http) => http.GetActorSession().RegenerateAsync());
        app.MapGet("/remember/{minutes:int}", (HttpContext http, int minutes) =>
        {
            http.GetActorSession().Ttl = TimeSpan.FromMinutes(minutes);
        });
        app.MapGet("/commit/{name}/{value}", (HttpContext http, string name, string value) =>
        {
            http.Session.SetString(name, value);
            return http.Session.CommitAsync();
        });
        app.MapGet("/commit-twice", async (HttpContext http) =>
        {
            http.Session.SetString("a", "2");
            var e = await Assert.ThrowsAsync<SessionUnavailableException>(() => http.Session.CommitAsync());
            await http.Session.CommitAsync();
            return $"{(e.MayBeApplied ? "unknown" : "refused")}, then stored as version {http.GetActorSession().Version}";
        });
        app.MapGet("/increment/{name}/{by:long}", async (HttpContext http, string name, long by) =>
            $"{await http.GetActorSession().IncrementAsync(name, by)} {http.Session.GetInt32(name)}");
        app.MapGet("/set-and-increment/{name}", async (HttpContext http, string name) =>
        {
            http.Session.SetInt32(name, 1);
            await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetActorSession().IncrementAsync(name));
            return "commit first";
        });
        app.MapGet("/json", (HttpContext http) =>
        {
            var session = http.GetActorSession();
            session.Set("json", new Item("blue", 7));
            return session.Get<Item>("json") is { } item && session.Get<Item>("absent") is null ? $"{item.Colour} {item.Count}" : "-";
        });
        app.MapGet("/forget/{name}/{value}", (HttpContext http, string name, string value) =>
        {
            http.Session.SetString(name, value);
            http.GetActorSession().Forget();
        });
    }

    private static string Refused(Action change)
    {
        try
        {
            change();
            return "done";
        }
        catch (InvalidOperationException)
        {
            return "refused";
        }
    }

    private sealed record Item(string Colour, int Count);
}
