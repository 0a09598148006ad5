using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Mvc;

namespace SessionActors.TestApp;

/// <summary>What the tests of conflicts and of atomic operations ask for. All wait at a gate between reading and changing.</summary>
internal static class ConflictEndpoints
{
    public static void MapConflicts(this WebApplication app)
    {
        app.MapGet("/refusing/{gate}/{way}/{name}/{value}", async (
            HttpContext http, Gates gates, string gate, string way, string name, string value) =>
        {
            await gates.PassAsync(gate, http.RequestAborted);
            http.Session.SetString(name, value);
            http.Response.Headers["X-Page"] = "yes";
            if (way == "pipe")
            {
                await http.Response.BodyWriter.WriteAsync("This is the page."u8.ToArray());
                return Results.Empty;
            }

            return way == "redirect" ? Results.Redirect("/plain") : Results.Text("This is the page.");
        }).WithSessionAccess(SessionAccess.Shared, onConflict: ConflictBehaviour.Refuse);
        app.MapGet("/lenient/{gate}/{name}/{value}", async (HttpContext http, Gates gates, string gate, string name, string value) =>
        {
            await gates.PassAsync(gate, http.RequestAborted);
            http.Session.SetString(name, value);
            return "set";
        }).WithSessionAccess(SessionAccess.Shared, onConflict: ConflictBehaviour.LastWriterWins);
        app.MapGet("/refusing-commit/{gate}/{how}/{name}/{value}", async (
            HttpContext http, Gates gates, string gate, string how, string name, string value) =>
        {
            await gates.PassAsync(gate, http.RequestAborted);
            var session = http.GetActorSession();
            session.OnConflict = ConflictBehaviour.Refuse;
            session.SetString(name, value);
            try
            {
                await session.CommitAsync();
                return "committed";
            }
            catch (SessionConflictException e) when (how == "caught")
            {
                await session.ReloadAsync();
                return $"{string.Join(' ', e.Properties)} is {session.GetString(name)}";
            }
        });

        // Changes the session in several steps of its own, around which others may change something else.
        app.MapGet("/steps/{gate}/{name}", async (HttpContext http, Gates gates, string gate, string name) =>
        {
            var session = http.GetActorSession();
            session.OnConflict = ConflictBehaviour.Refuse;
            session.SetString(name, "1");
            await session.CommitAsync();
            await gates.PassAsync(gate, http.RequestAborted);
            session.SetString(name, "2");
            await session.CommitAsync();
            await session.TakeAsync(name);
            session.SetString(name, "3");
            await session.CommitAsync();
            await session.IncrementAsync("steps");
            session.SetInt32("steps", 7);
        });
        app.MapGet("/update/{name}", async (HttpContext http, string name) =>
            (await http.GetActorSession().UpdateAsync<int>(name, n => n + 1)).ToString(CultureInfo.InvariantCulture));
        app.MapGet("/take/{name}", async (HttpContext http, string name) =>
            await http.GetActorSession().TakeAsync(name) is { } taken ? Encoding.UTF8.GetString(taken) : "-");
        app.MapGet("/get-or-set/{name}/{value}", async (HttpContext http, string name, string value) =>
            Encoding.UTF8.GetString(await http.GetActorSession().GetOrSetAsync(name, Encoding.UTF8.GetBytes(value))));
    }
}

/// <summary>The same by attribute.</summary>
[Route("refusing-action")]
public sealed class RefusingController(Gates gates) : Controller
{
    [HttpGet("{gate}/{name}/{value}")]
    [SessionAccess(SessionAccess.Shared, OnConflict = ConflictBehaviour.Refuse)]
    public async Task<IActionResult> Set(string gate, string name, string value)
    {
        await gates.PassAsync(gate, HttpContext.RequestAborted);
        HttpContext.Session.SetString(name, value);
        return Content("This is the page.");
    }
}
