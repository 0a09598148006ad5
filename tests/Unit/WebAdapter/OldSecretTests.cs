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

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
        app.MapGet("/set/{value}", (HttpContext http, string value) => http.Session.SetString("a", value));
        app.MapGet("/regenerate", (HttpContext http) => http.GetActorSession().RegenerateAsync());
        app.MapGet("/remember/{value}", (HttpContext http, string value) =>
        {
            http.GetActorSession().Ttl = TimeSpan.FromDays(7);
            http.Session.SetString("a", value);
        });
    }
}
