using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>Keys come and go, and nobody is logged out by it.</summary>
public sealed class KeyRotationTests
{
    [Theory]
    [InlineData(1, 700)]
    [InlineData(300, 3)]
    public async Task Who_comes_back_now_and_then_stays_logged_in_through_many_keys(int everyDays, int times)
    {
        await using var site = await WebSite.StartAsync(
            app =>
            {
                app.MapGet("/in", (HttpContext http) =>
                {
                    http.GetActorSession().Ttl = TimeSpan.FromDays(365);
                    http.Session.SetString("user", "ada");
                });
                app.MapGet("/who", (HttpContext http) => http.Session.GetString("user") ?? "nobody");
            },
            silo: options => options.CookieKeyLifetime = TimeSpan.FromDays(30),
            movesGrains: true);
        using var visitor = site.NewBrowser();
        await visitor.GetAsync("/in");
        var keys = new HashSet<string>();

        for (var i = 0; i < times; i++)
        {
            site.Time.Advance(TimeSpan.FromDays(everyDays));
            Assert.Equal("ada", await visitor.GetAsync("/who"));
            keys.Add(KeyOf(visitor.SessionCookie!));
        }

        // Of the 23 or so that there were; who comes rarely may come before this server has read of the next one.
        Assert.InRange(keys.Count, times > 100 ? 20 : 1, 24);
    }

    private static string KeyOf(string cookie) => cookie[..6];
}
