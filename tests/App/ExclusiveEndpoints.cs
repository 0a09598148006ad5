using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace SessionActors.TestApp;

/// <summary>Requests that have the session to themselves, wholly or for a while.</summary>
internal static class ExclusiveEndpoints
{
    public static void MapExclusive(this WebApplication app)
    {
        var exclusive = app.MapGroup("/exclusive").WithSessionAccess(SessionAccess.Exclusive);
        exclusive.MapGet("/count/{name}", async (HttpContext http, string name) =>
        {
            var before = http.Session.GetInt32(name) ?? 0;
            await Task.Yield();
            http.Session.SetInt32(name, before + 1);
            return (before + 1).ToString(CultureInfo.InvariantCulture);
        });
        exclusive.MapGet("/hold/{gate}", async (HttpContext http, Gates gates, string gate, string name, string value) =>
        {
            await gates.PassAsync(gate, http.RequestAborted);
            http.Session.SetString(name, value);
            return "the page";
        });
        exclusive.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) =>
        {
            http.Session.SetString(name, value);
            return "set";
        });
        exclusive.MapGet("/nested/{name}", async (HttpContext http, string name) =>
        {
            await using (await http.GetActorSession().AcquireAsync())
            {
                http.Session.SetString(name, "nested");
            }

            return "done";
        });

        app.MapGet("/critical/{name}", async (HttpContext http, string name) =>
        {
            http.Session.SetString("beside", "1");
            await using (await http.GetActorSession().AcquireAsync(http.RequestAborted))
            {
                http.Session.SetInt32(name, (http.Session.GetInt32(name) ?? 0) + 1);
            }

            return "done";
        });
        app.MapGet("/critical-on-read-only", async (HttpContext http) =>
        {
            await using var lease = await http.GetActorSession().AcquireAsync();
            return "never";
        }).WithSessionAccess(SessionAccess.ReadOnly);
    }
}

/// <summary>A controller that has the session to itself, but for one action.</summary>
[Route("turn")]
[SessionAccess(SessionAccess.Exclusive)]
public sealed class TurnController : Controller
{
    [HttpGet("count/{name}")]
    public async Task<string> CountAsync(string name)
    {
        var before = HttpContext.Session.GetInt32(name) ?? 0;
        await Task.Yield();
        HttpContext.Session.SetInt32(name, before + 1);
        return $"{before + 1}";
    }

    [HttpGet("shared/{name}")]
    [SessionAccess(SessionAccess.Shared)]
    public string Shared(string name) => HttpContext.Session.GetString(name) ?? "-";
}
