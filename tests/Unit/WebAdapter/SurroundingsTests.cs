using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>The session below middleware that keeps the page back, keeps it for others, or has begun the response already.</summary>
public sealed class SurroundingsTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(Endpoints, around: app =>
    {
        app.Use(async (http, next) =>
        {
            if (http.Request.Query.ContainsKey("begun"))
            {
                await http.Response.WriteAsync("begun ");
            }

            await next(http);
        });
        app.UseWhen(http => http.Request.Query.ContainsKey("buffered"), branch => branch.Use(BufferAsync));
        app.UseWhen(http => http.Request.Query.ContainsKey("cached"), branch => branch.UseResponseCaching());
    });

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData("text")]
    [InlineData("text-before")]
    public async Task A_page_in_somebodys_buffer_is_stored_with_its_changes(string way)
    {
        using var browser = await WithSessionAsync();
        Assert.Equal("the page", await browser.GetAsync($"/{way}?buffered"));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    [Theory]
    [InlineData("text?buffered", HttpStatusCode.ServiceUnavailable)]
    [InlineData("text-before?buffered", HttpStatusCode.InternalServerError)]
    [InlineData("unflushed-before", HttpStatusCode.InternalServerError)]
    [InlineData("unflushed-and-increment", HttpStatusCode.InternalServerError)]
    public async Task A_failed_commit_is_an_error_instead_of_a_page_in_somebodys_buffer(string way, HttpStatusCode status)
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var response = await browser.TryGetAsync($"/{way}");
        var body = await WebSite.TextAsync(response);
        Assert.Equal(status, response.StatusCode);
        Assert.DoesNotContain("page", body, StringComparison.Ordinal);
        Assert.Equal(status == HttpStatusCode.ServiceUnavailable, body.Contains("\"status\":503", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_is_kept_for_nobody_else()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var failed = await browser.TryGetAsync("/text?cached");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, failed.StatusCode);
        _site.Failure = _ => null;
        Assert.Equal("the page", await browser.GetAsync("/text?cached"));
        _site.Calls.Clear();
        Assert.Equal("the page", await browser.GetAsync("/text?cached"));
        Assert.Empty(_site.Calls);
    }

    [Fact]
    public async Task After_the_response_has_begun_a_session_is_read_and_changed()
    {
        using var browser = await WithSessionAsync();
        Assert.Equal("begun before", await browser.GetAsync("/get?begun"));
        Assert.Equal("begun the page", await browser.GetAsync("/text?begun"));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task A_response_that_has_begun_does_not_end_well_without_its_session()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = method => method == nameof(ISessionGrain.OpenAsync)
            ? SessionUnavailableException.NotApplied("12345678", "no store.")
            : null;
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => browser.GetAsync("/get?begun"));
    }

    [Fact]
    public async Task A_page_that_was_held_does_not_go_out_when_a_later_commit_fails()
    {
        using var browser = await WithSessionAsync();
        var commits = 0;
        _site.Failure = method => method == nameof(ISessionGrain.CommitAsync) && ++commits > 1 ? Unknown(method) : null;
        using var response = await browser.TryGetAsync("/unflushed?again");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("", await WebSite.TextAsync(response));
        Assert.Equal(2, commits);
    }

    [Theory]
    [InlineData("no-content")]
    [InlineData("not-modified")]
    public async Task A_response_that_has_no_body_becomes_the_problem_too(string way)
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var response = await browser.TryGetAsync($"/{way}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("\"status\":503", await WebSite.TextAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_commit_answers_HEAD_with_its_status()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var response = await browser.SendAsync(HttpMethod.Head, "/text");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("", await WebSite.TextAsync(response));
    }

    [Fact]
    public async Task A_connection_is_not_upgraded_when_the_commit_fails()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = browser.Cookies }) { BaseAddress = browser.Address };
        client.DefaultRequestHeaders.Connection.Add("Upgrade");
        client.DefaultRequestHeaders.Upgrade.ParseAdd("anything");
        using var response = await client.GetAsync(new Uri("/upgrade", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    private static async Task BufferAsync(HttpContext http, RequestDelegate next)
    {
        var server = http.Response.Body;
        using var buffer = new MemoryStream();
        http.Response.Body = buffer;
        try
        {
            await next(http);
        }
        finally
        {
            http.Response.Body = server;
        }

        buffer.Position = 0;
        await buffer.CopyToAsync(server);
    }

    private static SessionUnavailableException? Unknown(string method) =>
        method is nameof(ISessionGrain.CommitAsync) or nameof(ISessionGrain.IncrementAsync)
        ? SessionUnavailableException.Unknown("12345678", "the store did not answer.")
        : null;

    private async Task<Browser> WithSessionAsync()
    {
        var browser = _site.NewBrowser();
        await browser.GetAsync("/reset");
        return browser;
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get", http => http.Response.WriteAsync(http.Session.GetString("a") ?? "-"));
        app.MapGet("/reset", (HttpContext http) => http.Session.SetString("a", "before"));
        app.MapMethods("/text", ["GET", "HEAD"], async (HttpContext http) =>
        {
            Change(http);
            if (http.Request.Query.ContainsKey("cached"))
            {
                http.Response.Headers.CacheControl = "public, max-age=60";
            }

            await http.Response.WriteAsync("the page");
        });
        app.MapGet("/text-before", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("the page");
            if (http.Request.Query.ContainsKey("buffered"))
            {
                Change(http);
            }
        });
        app.MapGet("/unflushed-and-increment", async (HttpContext http) =>
        {
            WriteUnflushed(http);
            await http.GetActorSession().IncrementAsync("n");
        });
        app.MapGet("/unflushed", (HttpContext http) =>
        {
            var session = http.Session;
            if (http.Request.Query.ContainsKey("again"))
            {
                http.Response.OnStarting(() =>
                {
                    session.SetString("b", "late");
                    return Task.CompletedTask;
                });
            }

            Change(http);
            WriteUnflushed(http);
        });
        app.MapGet("/unflushed-before", (HttpContext http) =>
        {
            WriteUnflushed(http);
            Change(http);
        });
        app.MapGet("/no-content", (HttpContext http) =>
        {
            Change(http);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        app.MapGet("/not-modified", (HttpContext http) =>
        {
            Change(http);
            http.Response.StatusCode = StatusCodes.Status304NotModified;
        });
        app.MapGet("/upgrade", async (HttpContext http) =>
        {
            Change(http);
            await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        });
    }

    private static void Change(HttpContext http) => http.Session.SetString("a", "changed");

    private static void WriteUnflushed(HttpContext http)
    {
        "the page"u8.CopyTo(http.Response.BodyWriter.GetSpan(8));
        http.Response.BodyWriter.Advance(8);
    }
}
