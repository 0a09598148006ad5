using System.Globalization;

namespace SessionActors.TestApp;

/// <summary>What the tests of the promises ask for beyond reading and setting.</summary>
internal static class PromiseEndpoints
{
    public static void MapPromises(this WebApplication app)
    {
        app.MapGet("/poll/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-")
            .WithSessionAccess(SessionAccess.Shared, slide: false);
        app.MapGet("/activations", async (IGrainFactory grains) =>
        {
            var statistics = await grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics();
            var sessions = statistics.Where(grain => grain.GrainType.Contains("SessionActors.SessionGrain", StringComparison.Ordinal));
            return sessions.Sum(grain => grain.ActivationCount).ToString(CultureInfo.InvariantCulture);
        }).WithSessionAccess(SessionAccess.None);
        app.MapGet("/change-nothing/{name}", (HttpContext http, string name) =>
        {
            var before = http.Session.GetString(name)!;
            http.Session.SetString(name, "something else");
            http.Session.SetString(name, before);
            http.Session.SetString("new", "x");
            http.Session.Remove("new");
            http.Session.Remove("never there");
            return before;
        });
        app.MapGet("/create/{handle}", async (IGrainFactory grains, string handle) =>
        {
            try
            {
                var first = new NewSession { Delta = SessionDelta.Empty.Set("chosen", [1]) };
                await grains.GetGrain<ISessionGrain>(handle).CreateAsync(first, SessionRequest.New());
                return Results.Ok();
            }
            catch (InvalidOperationException)
            {
                return Results.Conflict();
            }
            catch (SessionDestroyedException)
            {
                return Results.StatusCode(StatusCodes.Status410Gone);
            }
        });
        app.MapGet("/version", (HttpContext http) => http.GetActorSession().Version.ToString(CultureInfo.InvariantCulture));

        // The client has the first byte and waits for the second.
        app.MapGet("/first-byte/{gate}/{name}/{value}", async (HttpContext http, Gates gates, string gate, string name, string value) =>
        {
            http.Session.SetString(name, value);
            await http.Response.WriteAsync("first ");
            await http.Response.Body.FlushAsync();
            await gates.PassAsync(gate, http.RequestAborted);
            await http.Response.WriteAsync("second");
        });
        app.MapGet("/stream-many/{count:int}", async (HttpContext http, int count) =>
        {
            await http.Response.WriteAsync("first ");
            await http.Response.Body.FlushAsync();
            for (var i = 0; i < count; i++)
            {
                http.Session.SetString($"many{i}", "x");
            }

            await http.Response.WriteAsync("second");
        });
    }
}
