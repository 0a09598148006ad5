using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;
using SessionActors;
using SessionActors.Devices;

var builder = WebApplication.CreateBuilder(args);
builder.AddSessionSilo();
builder.Services.AddActorSession();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options => options.LoginPath = "/");
// The ticket is kept in the cluster and ends with the session; the cookie only carries its key.
builder.Services.AddActorTicketStore();
builder.Services.AddAuthorization();
builder.AddExport();
builder.AddDashboard();

var app = builder.Build();
app.UseActorSession();
// Inside, so that a ticket out of reach is answered as a session out of reach is.
app.UseAuthentication();
app.UseAuthorization();
app.MapSessionHealth();
app.MapDashboard();

// The session begins before anybody logs in.
app.MapGet("/", async (HttpContext http, IGrainFactory grains) =>
{
    var visits = await http.GetActorSession().IncrementAsync("visits");
    var devices = await DevicesAsync(http, grains);
    return Results.Content(DevicesPage.Render(http.User.Identity?.Name, visits, devices), "text/html; charset=utf-8");
});

// A name is enough here. What the session held before, here the visits, is the user's then, under a new secret.
app.MapPost("/log-in", async (HttpContext http) =>
{
    var form = await http.Request.ReadFormAsync();
    if (form["name"].ToString().Trim() is not { Length: > 0 and <= 40 } name)
    {
        return Results.BadRequest("A name has 1 to 40 characters.");
    }

    var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Name, name)], "name");
    await http.SignInAsync(new ClaimsPrincipal(identity));
    return Results.Redirect("/");
});

app.MapPost("/log-out", async (HttpContext http) =>
{
    await http.SignOutAsync();
    return Results.Redirect("/");
});

var devices = app.MapGroup("/devices").RequireAuthorization();

// Looking does not keep the session alive.
devices.MapGet("/", async (HttpContext http, IGrainFactory grains) =>
    Results.Content(DevicesPage.List(await DevicesAsync(http, grains)), "text/html; charset=utf-8"))
    .WithSessionAccess(SessionAccess.ReadOnly, slide: false);

devices.MapPost("/{handle}/end", async (HttpContext http, IGrainFactory grains, string handle) =>
{
    if (!SessionHandle.TryParse(handle, out var session) || !await UserOf(http, grains).EndAsync(session))
    {
        return Results.NotFound("This is no session of yours, or it has ended.");
    }

    return Results.Redirect("/");
});

devices.MapPost("/end-others", async (HttpContext http, IGrainFactory grains) =>
{
    await UserOf(http, grains).EndOthersAsync(http.GetActorSession().Handle);
    return Results.Redirect("/");
});

// Every tab listens to its own session, and hears of its end at once, wherever that comes from.
app.MapGet("/live", (HttpContext http, IGrainFactory grains) =>
{
    var session = grains.GetGrain<ISessionGrain>(http.GetActorSession().Handle);
    return TypedResults.ServerSentEvents(
        session.WatchAsync(http.RequestAborted).Select(change => change.EndReason?.ToString() ?? ""), eventType: "session");
}).WithSessionAccess(SessionAccess.ReadOnly, slide: false).RequireAuthorization();

try
{
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or InvalidOperationException or IOException or TimeoutException)
{
    // What stops the start says what is wrong and how to mend it; a stack trace would hide that.
    await Console.Error.WriteLineAsync($"fail: {e.Message}");
    return 1;
}

static IUserSessionsGrain UserOf(HttpContext http, IGrainFactory grains) =>
    grains.GetGrain<IUserSessionsGrain>(http.User.FindFirstValue(ClaimTypes.NameIdentifier)!);

static async Task<IReadOnlyList<Device>> DevicesAsync(HttpContext http, IGrainFactory grains)
{
    if (http.User.Identity is not { IsAuthenticated: true })
    {
        return [];
    }

    var page = await UserOf(http, grains).ListAsync();
    return [.. page.Sessions.OrderByDescending(session => session.BoundAt)
        .Select(session => new Device(session, IsThis: session.Handle == http.GetActorSession().Handle))];
}
