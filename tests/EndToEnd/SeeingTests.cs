using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace SessionActors;

/// <summary>What operators see from outside: by OTLP, and on Orleans' dashboard.</summary>
public sealed class SeeingTests : IAsyncLifetime
{
    private const string Application = "SessionActors.Devices";
    private const string Password = "correct horse";

    private readonly TempFolder _folder = new();
    private OtlpReceiver _receiver = null!;

    public async ValueTask InitializeAsync() => _receiver = await OtlpReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_application_exports_metrics_and_traces_of_ours_and_of_Orleans_and_no_secret()
    {
        await using var app = await StartAsync(_receiver.Environment, Application);
        using var visitor = new Browser(app.Address);
        var secrets = new List<byte[]>();
        await VisitAsync();
        await LogInAsync(visitor);
        await VisitAsync();

        await _receiver.ReceivedAsync(
            "metrics", "sessionactors.sessions.active", "sessionactors.commits", "sessionactors.flush.duration", "sessionactors.flush.size",
            "sessionactors.web.opens", "orleans-", "http.server.request.duration", "dotnet.gc.collections");
        await _receiver.ReceivedAsync(
            "traces", "open session", "change session", "create session", "flush session", "session.id", visitor.Handle,
            "Microsoft.Orleans.Application", "Microsoft.AspNetCore");
        Assert.Equal(2, secrets.Select(Convert.ToHexString).Distinct().Count());
        var all = _receiver.All;
        Assert.DoesNotContain(
            secrets.SelectMany(Promise10NoKeyToTheDoorTests.Spellings),
            secret => all.Contains(secret, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(visitor.Cookies.GetAllCookies(), cookie => all.Contains(cookie.Value, StringComparison.Ordinal));

        async Task VisitAsync()
        {
            await visitor.GetAsync("/");
            secrets.Add(visitor.Secret);
        }
    }

    [Fact]
    public async Task A_silo_that_runs_alone_exports_when_it_is_told_where_to()
    {
        await using var silo = await StartAsync(_receiver.Environment, "SessionActors.Silo");

        await _receiver.ReceivedAsync(
            "metrics", "service.name", "SessionActors.Silo", "sessionactors.sessions.active", "orleans-", "dotnet.gc.collections");
        await _receiver.ReceivedAsync("logs", "Sessions are in {Store}");
    }

    [Fact]
    public async Task The_dashboard_is_for_whoever_knows_the_password_and_shows_no_secret()
    {
        await using var app = await StartAsync([], Application, $"--Dashboard:Password={Password}");
        using var visitor = new Browser(app.Address);
        await LogInAsync(visitor);
        await visitor.GetAsync("/");
        using var stranger = new HttpClient { BaseAddress = app.Address };
        using var operators = Client(app, "operator", Password);
        using var guesser = Client(app, "operator", "correct house");
        string[] paths =
        [
            "/dashboard/", "/dashboard/index.min.js", "/dashboard/version", "/dashboard/DashboardCounters", "/dashboard/ClusterStats",
            "/dashboard/TopGrainMethods", "/dashboard/GrainTypes", "/dashboard/GrainStats/SessionActors.SessionGrain",
        ];

        var shown = new StringBuilder();
        foreach (var path in paths)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger, path));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(guesser, path));
            // Whoever is signed in to the application is no operator for that.
            using var signedIn = await visitor.TryGetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, signedIn.StatusCode);
            using var answer = await GetAsync(operators, path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.DoesNotContain("Set-Cookie", answer.Headers.Select(header => header.Key));
            shown.AppendLine(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.Contains("SessionActors.SessionGrain", shown.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            Promise10NoKeyToTheDoorTests.Spellings(visitor.Secret),
            secret => shown.ToString().Contains(secret, StringComparison.OrdinalIgnoreCase));
        const string keys = "/dashboard/GrainState?grainId=0&grainType=SessionActors.CookieKeysGrain";
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(operators, keys));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(operators, "/dashboard/Trace"));
    }

    [Fact]
    public async Task Without_a_password_there_is_no_dashboard()
    {
        await using var app = await StartAsync([], Application);
        using var guesser = Client(app, "operator", "");

        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(guesser, "/dashboard/"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(guesser, "/dashboard/DashboardCounters"));
    }

    private Task<AppProcess> StartAsync(string[] environment, string application, params string[] arguments) =>
        AppProcess.StartWithAsync(environment, application, [$"--SessionActors:DataFolder={_folder.Path}", .. arguments]);

    private static async Task LogInAsync(Browser visitor)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("name", "ada")]);
        using var answer = await visitor.SendAsync(HttpMethod.Post, "/log-in", form);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    private static HttpClient Client(AppProcess app, string name, string password)
    {
        var client = new HttpClient { BaseAddress = app.Address };
        client.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
        return client;
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string path) =>
        client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await GetAsync(client, path);
        return answer.StatusCode;
    }
}
