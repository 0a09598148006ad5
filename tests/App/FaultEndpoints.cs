namespace SessionActors.TestApp;

/// <summary>What the tests of failing commits and of bad input ask for.</summary>
internal static class FaultEndpoints
{
    public static void MapFaults(this WebApplication app)
    {
        // A page after a change, in each of the ways that there are to write one.
        app.MapGet("/page/{way}/{value}", async (HttpContext http, string way, string value) =>
        {
            const string page = "This is the page.";
            http.Session.SetString("page", value);
            http.Response.Headers["X-Page"] = way;
            switch (way)
            {
                case "text": return Results.Text(page);
                case "json": return Results.Json(new { page });
                case "redirect": return Results.Redirect("/plain");
                case "write": await http.Response.WriteAsync(page); break;
                case "body": await http.Response.Body.WriteAsync("This is the page."u8.ToArray()); break;
                case "pipe": await http.Response.BodyWriter.WriteAsync("This is the page."u8.ToArray()); break;
                case "unflushed":
                    "This is the page."u8.CopyTo(http.Response.BodyWriter.GetSpan(page.Length));
                    http.Response.BodyWriter.Advance(page.Length);
                    break;
            }

            return Results.Empty;
        });

        // Names and values that fit into no path.
        app.MapGet("/names", (HttpContext http) => Results.Json(http.Session.Keys));
        app.MapGet("/long-name/{bytes:int}", (HttpContext http, int bytes) => http.Session.SetString(new string('n', bytes), "x"));
        app.MapGet("/large/{count:int}/{bytes:int}", (HttpContext http, int count, int bytes) =>
        {
            for (var i = 0; i < count; i++)
            {
                http.Session.Set($"large{i}", new byte[bytes]);
            }

            return "This is the page.";
        });
    }
}
