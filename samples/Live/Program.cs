using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Options;
using SessionActors;
using SessionActors.Live;

var builder = WebApplication.CreateBuilder(args);
// As built, and not only as published or in development, the script of Blazor is found.
builder.WebHost.UseStaticWebAssets();
builder.AddSessionSilo();
builder.Services.AddActorSession();
builder.Services.AddSignalR();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();

var app = builder.Build();
app.UseActorSession();
app.UseAntiforgery();
app.MapSessionHealth();
app.MapStaticAssets().WithSessionAccess(SessionAccess.None);
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();

// Of its session a connection wants to know which one it is, at its beginning, and a WebSocket is one request from then on.
app.MapHub<LiveHub>("/live", options => options.Transports = HttpTransportType.WebSockets)
    .WithSessionAccess(SessionAccess.ReadOnly);

app.MapPost("/new-secret", async (HttpContext http) =>
{
    await http.GetActorSession().RegenerateAsync();
    return Results.Redirect("/");
});

app.MapPost("/log-out", async (HttpContext http) =>
{
    await http.GetActorSession().DestroyAsync();
    return Results.Redirect("/ended/Destroyed");
});

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
