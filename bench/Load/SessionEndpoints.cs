using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>What a session is asked for, through the same <c>ISession</c> whatever is behind it.</summary>
internal static class SessionEndpoints
{
    private static readonly byte[] Filling = [.. Enumerable.Repeat((byte)'x', 1000)];

    // LoadAsync first: without it ASP.NET Core's session loads synchronously and starves the thread pool. An actor's is loaded already.
    public static void Map(WebApplication app)
    {
        app.MapGet("/read", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            return http.Session.GetString("value") ?? "-";
        });
        app.MapGet("/write", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            var value = BenchServer.NextValue();
            http.Session.SetString("value", value);
            return value;
        });
        app.MapGet("/add/{name}", async (HttpContext http, string name) =>
        {
            await http.Session.LoadAsync();
            http.Session.SetString(name, "added");
            return "added";
        });
        app.MapGet("/fill/{kilobytes:int}", async (HttpContext http, int kilobytes) =>
        {
            await http.Session.LoadAsync();
            for (var i = 0; i < kilobytes; i++)
            {
                http.Session.Set($"{i}", Filling);
            }

            return "filled";
        });
        app.MapGet("/count", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            return http.Session.Keys.Count().ToString(CultureInfo.InvariantCulture);
        });
        app.MapGet("/destroy", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            if (http.Session is IActorSession actor)
            {
                await actor.DestroyAsync();
            }
            else
            {
                http.Session.Clear();
            }

            return "destroyed";
        });
    }

    public static void MapTurns(WebApplication app, ServerKind kind)
    {
        if (kind == ServerKind.StockRedis)
        {
            app.MapGet("/polled/{milliseconds:int}", (HttpContext http, PollingLock turns, int milliseconds) =>
                // By the cookie: asked for its Id, the session would load itself, synchronously and before it is locked.
                turns.WithinAsync(http.Request.Cookies[".AspNetCore.Session"]!, TimeSpan.FromMilliseconds(milliseconds), async () =>
                {
                    await http.Session.LoadAsync();
                    var value = BenchServer.NextValue();
                    http.Session.SetString("value", value);
                    await http.Session.CommitAsync();
                    return value;
                }));
        }
        else if (kind == ServerKind.ActorRedis)
        {
            app.MapGet("/exclusive", async (HttpContext http) =>
            {
                await http.Session.LoadAsync();
                var value = BenchServer.NextValue();
                http.Session.SetString("value", value);
                return value;
            }).WithSessionAccess(SessionAccess.Exclusive);
        }
    }
}
