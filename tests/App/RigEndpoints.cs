using System.Globalization;
using System.Text;

namespace SessionActors.TestApp;

/// <summary>What the fault rig asks for.</summary>
internal static class RigEndpoints
{
    public static void MapRig(this WebApplication app)
    {
        // Everything that is in the session, as the server has it.
        app.MapGet("/rig/all", (HttpContext http) => Everything(http.GetActorSession()));

        // The same, of an owner that has just shown to the store that it is the owner.
        app.MapGet("/rig/settled", async (HttpContext http) =>
        {
            var session = http.GetActorSession();
            await session.IncrementAsync("settled");
            await session.ReloadAsync();
            return Everything(session);
        });

        // Ends the session, and says what was in it.
        app.MapGet("/rig/destroy", async (HttpContext http) =>
        {
            var session = http.GetActorSession();
            var all = Everything(session);
            await session.DestroyAsync();
            return all;
        });

        // Adds to a list that is one property.
        app.MapGet("/rig/append/{name}/{element}", (HttpContext http, string name, string element) =>
        {
            var session = http.GetActorSession();
            var list = session.Get<List<string>>(name) ?? [];
            list.Add(element);
            session.Set(name, list);
            return "added";
        });

        // Reads, computes and writes with the session to itself. Says the lease's token, and the number before.
        app.MapGet("/rig/turn/{name}", async (HttpContext http, string name) =>
        {
            await using var lease = await http.GetActorSession().AcquireAsync(http.RequestAborted);
            var before = http.Session.GetInt32(name) ?? 0;
            await Task.Yield();
            http.Session.SetInt32(name, before + 1);
            return string.Create(CultureInfo.InvariantCulture, $"{lease.Token} {before}");
        });

        // A session with an idle time-out of its own.
        app.MapGet("/rig/idle/{milliseconds:int}/{name}/{value}", (HttpContext http, int milliseconds, string name, string value) =>
        {
            http.GetActorSession().Ttl = TimeSpan.FromMilliseconds(milliseconds);
            http.Session.SetString(name, value);
            return "set";
        });
    }

    // A line each: first the version (0: there is no session), then name=value. What has four bytes is a number.
    private static string Everything(IActorSession session)
    {
        var lines = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{session.Version}");
        foreach (var name in session.Keys.Where(name => name != "settled"))
        {
            var value = session.Get(name)!;
            lines.Append('\n').Append(name).Append('=');
            _ = value.Length == sizeof(int) ? lines.Append(session.GetInt32(name)) : lines.Append(Encoding.UTF8.GetString(value));
        }

        return lines.ToString();
    }
}
