using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>A log-out against what its server remembers.</summary>
public sealed class LogOutTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_ends_a_session_that_the_server_takes_for_ended(bool isOld)
    {
        await using var site = await WebSite.StartAsync(app =>
        {
            app.MapGet("/set", (HttpContext http) => http.Session.SetString("a", "x"));
            app.MapGet("/handle", (HttpContext http) => $"{http.GetActorSession().Handle}");
            app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
            app.MapGet("/regenerate", (HttpContext http) => http.GetActorSession().RegenerateAsync());
            app.MapGet("/log-out", (HttpContext http) => http.GetActorSession().DestroyAsync());
        });
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set");
        var handle = await browser.GetAsync("/handle");
        var old = browser.SessionCookie;
        await browser.GetAsync("/regenerate");
        browser.SessionCookie = isOld ? old : browser.SessionCookie;
        var session = site.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(handle);
        // As it looks where a store had lost the session, and another silo has written it back since.
        site.Services.GetRequiredService<SessionDoor>().OnEnded(SessionHandle.Parse(handle), SessionEndReason.Missing);
        Assert.Equal("-", await browser.GetAsync("/get"));

        await browser.GetAsync("/log-out");

        // With an old secret nobody is logged out.
        Assert.Equal(isOld, await session.ReadAsync() is not null);
    }
}
