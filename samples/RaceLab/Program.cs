using Microsoft.AspNetCore.Connections;
using SessionActors.RaceLab;

// The lab starts its shops as processes of this same program.
if (args is ["shop", var kind, .. var rest])
{
    await Shop.RunAsync(kind == "stock", rest);
    return 0;
}

if (!RedisProcess.IsInstalled)
{
    return await FailAsync(RedisProcess.Missing);
}

var builder = WebApplication.CreateBuilder(args);
await using var app = builder.Build();
await using var lab = new Lab(app.Lifetime.ApplicationStopping);

app.MapGet("/", () => Page("index.html", "text/html; charset=utf-8"));
app.MapGet("/lab.css", () => Page("lab.css", "text/css"));
app.MapGet("/lab.js", () => Page("lab.js", "text/javascript"));

// What the page shows: once, and each time that it changes.
app.MapGet("/state", () => Results.Text(lab.Json(), "application/json"));
app.MapGet("/live", (HttpContext http) => TypedResults.ServerSentEvents(lab.WatchAsync(http.RequestAborted), eventType: "state"));

// A race goes on by itself: who closes the page or loads it anew finds it where it is.
app.MapPost("/races/updates", () => Begin("updates", lab.RaceUpdatesAsync));
app.MapPost("/races/log-out", () => Begin("log-out", lab.RaceLogOutAsync));
app.MapPost("/races/kill", () => Begin("kill", lab.RaceKillAsync));
app.MapPost("/servers/start", () => Begin("start", lab.StartKilledAsync));

try
{
    // Whether the port is free shows before anything else is started.
    await app.StartAsync();
    await lab.StartAsync();
    await app.WaitForShutdownAsync();
    return 0;
}
catch (IOException e) when (e.InnerException is AddressInUseException)
{
    return await FailAsync($"{e.Message} Stop the program that has the port, or move the lab: -- --urls http://127.0.0.1:5001");
}
catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
{
    return 0;
}
catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException)
{
    return await FailAsync(e.Message);
}

static IResult Page(string name, string type) => Results.Stream(typeof(Lab).Assembly.GetManifestResourceStream(name)!, type);

IResult Begin(string name, Func<Pair<Side>, Task> race) =>
    lab.TryBegin(name, race) is { } refusal ? Results.Conflict(refusal) : Results.Accepted();

static async Task<int> FailAsync(string message)
{
    await Console.Error.WriteLineAsync($"fail: {message}");
    return 1;
}
