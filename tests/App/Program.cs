using System.Globalization;
using SessionActors.TestApp;

var builder = WebApplication.CreateBuilder(args);
if (builder.Configuration.GetValue<bool>("Stock"))
{
    builder.RunStock();
    return;
}

if (builder.Configuration.GetValue<bool>("OnStore"))
{
    builder.RunStockOnStore();
    return;
}

var isClient = builder.Configuration.GetValue<bool>("Client");
if (isClient)
{
    builder.UseSilosElsewhere();
}
else
{
    builder.AddSessionSilo();
}

if (builder.Configuration.GetValue<bool>("DistributedDirectory"))
{
    builder.UseOrleans(silo => silo.AddDistributedGrainDirectory());
}

builder.Services.AddActorSession();
if (builder.Configuration.GetValue<bool>("Observe"))
{
    builder.UseOrleans(silo => silo.AddActivityPropagation());
    builder.Services.AddSingleton<Observed>();
}

if (builder.Configuration["OldRedis"] is not null)
{
    builder.AddImport();
}

builder.Services.AddSingleton<Gates>();
builder.Services.AddSingleton<AfterSession>();
builder.Services.AddControllersWithViews().AddSessionStateTempDataProvider();
builder.Services.AddResponseCompression();
builder.Services.AddSignIn();
builder.AddSharedKeys();
if (builder.Configuration.GetValue<bool>("Tickets"))
{
    builder.Services.AddActorTicketStore();
}

if (builder.Configuration["Events"] is not null)
{
    builder.Services.AddSessionEvents<EventFile>();
}

var app = builder.Build();
app.UseResponseCompression();
app.Use((http, next) => http.RequestServices.GetRequiredService<AfterSession>().WatchAsync(http, next));
app.UseActorSession();
if (!isClient)
{
    app.MapSessionHealth();
}

app.MapControllers();

app.MapGet("/plain", () => "plain");
_ = app.Services.GetService<Observed>();
app.MapGet("/observed", (IServiceProvider services) => services.GetRequiredService<Observed>().Text);
app.MapGet("/none", (HttpContext http) =>
        http.Features.Get<Microsoft.AspNetCore.Http.Features.ISessionFeature>() is null ? "no session" : "session")
    .WithSessionAccess(SessionAccess.None);
app.MapGet("/id", (HttpContext http) => http.Session.Id);
app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal)));
app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
app.MapGet("/number/{name}", (HttpContext http, string name) => http.Session.GetInt32(name)?.ToString(CultureInfo.InvariantCulture) ?? "-");
app.MapGet("/read-only/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-")
    .WithSessionAccess(SessionAccess.ReadOnly);
app.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) =>
{
    http.Session.SetString(name, value);
    return "set";
});
app.MapPost("/set", async (HttpContext http, string name) =>
{
    using var body = new MemoryStream();
    await http.Request.Body.CopyToAsync(body);
    http.Session.Set(name, body.ToArray());
    return Results.Text("set");
});
app.MapGet("/remove/{name}", (HttpContext http, string name) =>
{
    http.Session.Remove(name);
    return "removed";
});
app.MapGet("/clear", (HttpContext http) =>
{
    http.Session.Clear();
    return "cleared";
});
app.MapGet("/many/{count:int}", (HttpContext http, int count) =>
{
    for (var i = 0; i < count; i++)
    {
        http.Session.SetString($"many{i}", "x");
    }

    return "set";
});
app.MapGet("/increment/{name}", async (HttpContext http, string name) =>
    (await http.GetActorSession().IncrementAsync(name)).ToString(CultureInfo.InvariantCulture));
app.MapGet("/destroy", async (HttpContext http) =>
{
    await http.GetActorSession().DestroyAsync();
    return "destroyed";
});
app.MapGet("/regenerate", async (HttpContext http) =>
{
    await http.GetActorSession().RegenerateAsync();
    return "regenerated";
});
app.MapGet("/forget/{name}/{value}", (HttpContext http, string name, string value) =>
{
    http.Session.SetString(name, value);
    http.GetActorSession().Forget();
    return "forgotten";
});
app.MapGet("/remember/{minutes:int}", (HttpContext http, int minutes) =>
{
    http.GetActorSession().Ttl = TimeSpan.FromMinutes(minutes);
    return "remembered";
});

// Held in the middle: opens the session, waits for the test, then does what it is asked to.
app.MapGet("/slow/{gate}/{what}", async (HttpContext http, Gates gates, string gate, string what, string? name, string? value) =>
{
    var before = http.Session.GetString(name ?? "") ?? "-";
    await gates.PassAsync(gate, http.RequestAborted);
    switch (what)
    {
        case "set": http.Session.SetString(name!, value!); break;
        case "clear": http.Session.Clear(); break;
        case "commit":
            http.Session.SetString(name!, value!);
            await http.Session.CommitAsync();
            break;
    }

    return before;
});
app.MapGet("/gates/{gate}/arrived", (HttpContext http, Gates gates, string gate) => gates.ArrivedAsync(gate, http.RequestAborted))
    .WithSessionAccess(SessionAccess.None);
app.MapGet("/gates/{gate}/open", (Gates gates, string gate) => gates.Open(gate)).WithSessionAccess(SessionAccess.None);

app.MapGet("/fail/{name}/{value}", (HttpContext http, string name, string value) =>
{
    http.Session.SetString(name, value);
    throw new InvalidOperationException("The endpoint failed.");
});
app.MapGet("/stream/{name}/{value}", async (HttpContext http, string name, string value) =>
{
    await http.Response.WriteAsync("first ");
    await http.Response.Body.FlushAsync();
    http.Session.SetString(name, value);
    await http.Response.WriteAsync("second");
});
app.MapGet("/redirect/{name}/{value}", (HttpContext http, string name, string value) =>
{
    http.Session.SetString(name, value);
    return Results.Redirect("/plain");
});
app.MapGet("/body-writer/{name}/{value}", async (HttpContext http, string name, string value) =>
{
    http.Session.SetString(name, value);
    "the page"u8.CopyTo(http.Response.BodyWriter.GetSpan(8));
    http.Response.BodyWriter.Advance(8);
    await http.Response.BodyWriter.FlushAsync();
});

app.MapPromises();
app.MapSemantics();
app.MapFaults();
app.MapConflicts();
app.MapExclusive();
app.MapNested();
app.MapRig();
app.MapSignIn();

app.Run();

/// <summary>Named so that <c>WebApplicationFactory</c> can start this application in a test's own process.</summary>
public partial class Program;
