namespace SessionActors.TestApp;

/// <summary>What the tests of the behaviour that applications know from ASP.NET Core's session ask for.</summary>
internal static class SemanticsEndpoints
{
    public static void MapSemantics(this WebApplication app)
    {
        app.MapGet("/value", (HttpContext http, string name) =>
            http.Session.TryGetValue(name, out var value) ? Convert.ToHexString(value) : "-");
        app.MapGet("/refused/{what}", (HttpContext http, string what) =>
        {
            try
            {
                switch (what)
                {
                    case "null-name": http.Session.Set(null!, [1]); break;
                    case "null-value": http.Session.Set("a", null!); break;
                    case "long-name": http.Session.Set(new string('n', 65_536), [1]); break;
                    case "longest-name": http.Session.Set(new string('n', 65_535), [1]); break;
                }

                return "accepted";
            }
            catch (ArgumentException e)
            {
                return e.GetType().Name;
            }
        });
        app.MapGet("/copies", (HttpContext http) =>
        {
            byte[] given = [1, 2];
            http.Session.Set("a", given);
            given[0] = 9;
            http.Session.TryGetValue("a", out var taken);
            taken![1] = 9;
            return Convert.ToHexString(http.Session.Get("a")!);
        });
        app.MapGet("/set-number/{name}/{value:int}", (HttpContext http, string name, int value) => http.Session.SetInt32(name, value));
        app.MapGet("/late/{name}/{value}", async (HttpContext http, string name, string value) =>
        {
            await http.Response.WriteAsync("first ");
            await http.Response.Body.FlushAsync();
            try
            {
                http.Session.SetString(name, value);
            }
            catch (InvalidOperationException e)
            {
                await http.Response.WriteAsync(e.Message);
            }
        });
        app.MapGet("/starting", (HttpContext http) =>
        {
            http.Response.OnStarting(() =>
            {
                http.Session.SetString("a", "x");
                http.Session.Remove("a");
                return Task.CompletedTask;
            });
            return "started";
        });

        // Says what another request would see before this one ends.
        app.MapGet("/load-commit/{gate}/{name}/{value}", async (HttpContext http, Gates gates, string gate, string name, string value) =>
        {
            await http.Session.LoadAsync();
            http.Session.SetString(name, value);
            await http.Session.CommitAsync();
            await gates.PassAsync(gate, http.RequestAborted);
        });

        // Waits until the client has gone, and only then changes the session.
        app.MapGet("/abandoned/{gate}/{name}/{value}", async (HttpContext http, Gates gates, string gate, string name, string value) =>
        {
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = http.RequestAborted.Register(gone.SetResult);
            var gateIsOpen = gates.PassAsync(gate, CancellationToken.None);
            await gone.Task;
            await gateIsOpen;
            http.Session.SetString(name, value);
        });
        app.MapGet("/seen/{name}", (AfterSession after, string name) => after.Seen(name)).WithSessionAccess(SessionAccess.None);

        app.MapGet("/basket/add/{article}", (HttpContext http, string article) =>
        {
            var session = http.GetActorSession();
            var basket = session.Get<List<BasketLine>>("basket") ?? [];
            var line = basket.Find(line => line.Article == article);
            if (line is null)
            {
                basket.Add(new BasketLine { Article = article, Count = 1 });
            }
            else
            {
                line.Count++;
            }

            session.Set("basket", basket);
        });
        app.MapGet("/basket", (HttpContext http) =>
        {
            var basket = http.GetActorSession().Get<List<BasketLine>>("basket") ?? [];
            return string.Join(' ', basket.Select(line => $"{line.Article}:{line.Count}"));
        });
    }

    private sealed class BasketLine
    {
        public required string Article { get; init; }

        public required int Count { get; set; }
    }
}
