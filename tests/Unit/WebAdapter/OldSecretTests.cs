using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>Cookies from before a rotation, and stolen ones.</summary>
public sealed class OldSecretTests
{
    [Theory]
    [InlineData(OldSecretBehaviour.Detach, "x")]
    [InlineData(OldSecretBehaviour.EndSession, "-")]
    public async Task Whoever_comes_with_one_gets_nothing_and_may_end_the_session(OldSecretBehaviour behaviour, string left)
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.OnOldSecret = behaviour);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/x");
        using var thief = site.NewBrowser();
        thief.SessionCookie = browser.SessionCookie;
        await browser.GetAsync("/regenerate");

        Assert.Equal("-", await thief.GetAsync("/get"));

        Assert.Contains(WebLog.SessionSupersededId, site.Events);
        Assert.Equal(left, await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task Requests_that_were_under_way_at_a_rotation_go_on_for_the_grace_and_send_no_cookie()
    {
        await using var site = await WebSite.StartAsync(
            Endpoints,
            options => options.OnOldSecret = OldSecretBehaviour.EndSession,
            silo: options => options.RotationGrace = TimeSpan.FromMinutes(1));
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/x");
        using var late = site.NewBrowser();
        late.SessionCookie = browser.SessionCookie;
        await browser.GetAsync("/regenerate");

        foreach (var path in new[] { "/set/y", "/remember/z", "/regenerate" })
        {
            using var answer = await late.TryGetAsync(path);
            Assert.False(answer.Headers.Contains("Set-Cookie"), $"{path} sent a cookie");
        }

        Assert.Equal("z", await browser.GetAsync("/get"));
    }

    [Theory]
    [InlineData("/late", 0, false)]
    [InlineData("/late", 0, true)]
    [InlineData("/late-remember", 0, false)]
    [InlineData("/late-remember", 60, false)]
    public async Task A_request_from_before_a_rotation_that_comes_to_it_late_sends_no_cookie(string path, int grace, bool isBound)
    {
        var (begun, gate) = (NewSource(), NewSource());
        await using var site = await WebSite.StartAsync(
            app =>
            {
                Endpoints(app);
                app.MapGet("/late", async (HttpContext http) =>
                {
                    begun.SetResult();
                    await gate.Task;
                    await http.GetActorSession().RegenerateAsync();
                    http.Session.SetString("a", "eve");
                });
                app.MapGet("/late-remember", async (HttpContext http) =>
                {
                    begun.SetResult();
                    await gate.Task;
                    http.GetActorSession().Ttl = TimeSpan.FromDays(7);
                });
            },
            silo: options => options.RotationGrace = TimeSpan.FromSeconds(grace));
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/x");
        await browser.GetAsync(isBound ? "/bind" : "/get");
        using var late = site.NewBrowser();
        late.SessionCookie = browser.SessionCookie;
        var answer = late.TryGetAsync(path);
        await Until.Async(begun.Task, "the late request is under way");
        await browser.GetAsync("/regenerate");

        gate.SetResult();

        using var response = await answer;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"), "a cookie was sent");
        Assert.Equal("x", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task A_browser_that_never_got_the_new_secret_is_served_as_one_without_a_session()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/x");
        using var left = site.NewBrowser();
        left.SessionCookie = browser.SessionCookie;
        await browser.GetAsync("/regenerate");

        Assert.Equal("1  True b c", await left.GetAsync("/atomic"));
        Assert.Equal("1  True b c", await left.GetAsync("/atomic"));
        Assert.Equal("x", await browser.GetAsync("/get"));
        using var committed = await left.TryGetAsync("/atomic?commit=true");
        Assert.Equal(HttpStatusCode.InternalServerError, committed.StatusCode);
    }

    [Fact]
    public async Task Whoever_signs_in_with_one_begins_with_a_new_session()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/x");
        using var left = site.NewBrowser();
        left.SessionCookie = browser.SessionCookie;
        await browser.GetAsync("/regenerate");

        Assert.Equal("ada", await left.GetAsync("/sign-in"));

        Assert.NotEqual(browser.Handle, left.Handle);
        Assert.Equal(("x", "y"), (await browser.GetAsync("/get"), await left.GetAsync("/get")));
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
        app.MapGet("/set/{value}", (HttpContext http, string value) => http.Session.SetString("a", value));
        app.MapGet("/bind", (HttpContext http) => http.GetActorSession().BindAsync("ada"));
        app.MapGet("/sign-in", async (HttpContext http) =>
        {
            http.Session.SetString("a", "dropped");
            await http.GetActorSession().RegenerateAsync();
            await http.GetActorSession().BindAsync("ada");
            http.Session.SetString("a", "y");
            await http.Session.CommitAsync();
            return http.GetActorSession().UserId;
        });
        app.MapGet("/regenerate", (HttpContext http) => http.GetActorSession().RegenerateAsync());
        app.MapGet("/atomic", async (HttpContext http, bool commit = false) =>
        {
            var session = http.GetActorSession();
            var (one, none) = (await session.IncrementAsync("n"), await session.TakeAsync("a"));
            var isSet = await session.CompareAndSetAsync("b", null, [1]);
            var first = await session.GetOrSetAsync("c", "b"u8.ToArray());
            var updated = await session.UpdateAsync("d", _ => "c"u8.ToArray());
            if (commit)
            {
                await session.CommitAsync();
            }

            return $"{one} {none?.Length} {isSet} {Encoding.UTF8.GetString(first)} {Encoding.UTF8.GetString(updated!)}";
        });
        app.MapGet("/remember/{value}", (HttpContext http, string value) =>
        {
            http.GetActorSession().Ttl = TimeSpan.FromDays(7);
            http.Session.SetString("a", value);
        });
    }
}
