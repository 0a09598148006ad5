using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>When the changes of a request cannot be stored, its client gets an error and nothing of the page.</summary>
public sealed class CommitFailureTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(Endpoints, around: app =>
    {
        app.UseWhen(http => http.Request.Query.ContainsKey("compressed"), branch => branch.UseResponseCompression());
        app.Use(async (http, next) =>
        {
            await next(http);
            if (!http.Response.HasStarted && http.Request.Query.ContainsKey("outer"))
            {
                await http.Response.WriteAsync("from outside");
            }
        });
    });

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("stream")]
    [InlineData("stream-taken-before")]
    [InlineData("writer")]
    [InlineData("writer-unflushed")]
    [InlineData("writer-completed")]
    [InlineData("writer-write")]
    [InlineData("start-first")]
    [InlineData("file")]
    [InlineData("complete")]
    [InlineData("redirect")]
    [InlineData("empty")]
    [InlineData("set-in-on-starting")]
    [InlineData("text?compressed")]
    [InlineData("encoded-by-endpoint")]
    public async Task A_failed_commit_is_an_error_instead_of_the_page(string way)
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var response = await browser.TryGetAsync($"/{way}");
        var body = await WebSite.TextAsync(response);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("page", body, StringComparison.Ordinal);
        Assert.Contains("\"status\":503", body, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Null(response.Headers.Location);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.False(response.Headers.Contains("X-Page"));
        Assert.Contains(WebLog.CommitFailedId, _site.Events);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("stream")]
    [InlineData("stream-taken-before")]
    [InlineData("writer")]
    [InlineData("writer-unflushed")]
    [InlineData("writer-completed")]
    [InlineData("writer-write")]
    [InlineData("start-first")]
    [InlineData("file")]
    [InlineData("set-in-on-starting")]
    [InlineData("written-synchronously")]
    [InlineData("written-before-the-change")]
    [InlineData("mixed")]
    public async Task A_commit_that_succeeds_lets_the_whole_page_through(string way)
    {
        using var browser = await WithSessionAsync();
        using var response = await browser.TryGetAsync($"/{way}");
        var page = await WebSite.TextAsync(response);
        Assert.Equal("the page", page.Trim('"'));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    [Theory]
    [InlineData("written-synchronously")]
    [InlineData("written-before-the-change")]
    public async Task What_cannot_be_taken_back_makes_an_empty_error(string way)
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var response = await browser.TryGetAsync($"/{way}");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("", await WebSite.TextAsync(response));
    }

    [Fact]
    public async Task A_compressed_problem_can_be_read()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        using var handler = new SocketsHttpHandler { CookieContainer = browser.Cookies, AutomaticDecompression = DecompressionMethods.All };
        using var client = new HttpClient(handler);
        using var response = await client.GetAsync(new Uri(browser.Address, "/text?compressed"), TestContext.Current.CancellationToken);
        Assert.Contains("\"status\":503", await WebSite.TextAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_session_that_cannot_be_created_gets_no_cookie()
    {
        _site.Failure = Unknown;
        using var browser = _site.NewBrowser();
        using var response = await browser.TryGetAsync("/text");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task A_commit_that_fails_after_the_first_byte_aborts_the_connection()
    {
        using var browser = await WithSessionAsync();
        _site.Failure = Unknown;
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => browser.GetAsync("/streaming"));
        Assert.Contains(WebLog.LateCommitFailedId, _site.Events);
    }

    [Fact]
    public async Task Middleware_around_can_write_after_an_empty_response()
    {
        using var browser = await WithSessionAsync();
        Assert.Equal("from outside", await browser.GetAsync("/empty?outer"));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task A_limit_is_413_and_another_failure_500_without_its_message()
    {
        using var browser = await WithSessionAsync();
        using var large = await browser.TryGetAsync("/large");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Contains("MaxPropertyBytes", await WebSite.TextAsync(large), StringComparison.Ordinal);

        _site.Failure = method => method == nameof(ISessionGrain.CommitAsync) ? new InvalidCastException("inner workings") : null;
        using var broken = await browser.TryGetAsync("/text");
        Assert.Equal(HttpStatusCode.InternalServerError, broken.StatusCode);
        Assert.DoesNotContain("inner workings", await WebSite.TextAsync(broken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_a_create_that_nobody_answered_for_and_that_was_given_up_is_another_session()
    {
        var failures = 1;
        _site.Failure = method => method == nameof(ISessionGrain.CreateAsync) && failures-- > 0 ? Unknown(method) : null;
        using var browser = _site.NewBrowser();
        Assert.Equal("another", await browser.GetAsync("/give-up"));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    [Fact]
    public async Task What_was_too_much_when_a_session_was_bound_may_be_taken_back()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("taken back", await browser.GetAsync("/bind-large"));
        Assert.Equal("changed", await browser.GetAsync("/get"));
    }

    private static SessionUnavailableException? Unknown(string method) =>
        method is nameof(ISessionGrain.CommitAsync) or nameof(ISessionGrain.CreateAsync)
        ? SessionUnavailableException.Unknown("12345678", "the store did not answer.")
        : null;

    private async Task<Browser> WithSessionAsync()
    {
        var browser = _site.NewBrowser();
        await browser.GetAsync("/text");
        await browser.GetAsync("/reset");
        return browser;
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/give-up", async (HttpContext http) =>
        {
            var session = http.GetActorSession();
            var first = session.Handle;
            session.SetString("a", "lost");
            await Assert.ThrowsAsync<SessionUnavailableException>(() => session.CommitAsync());
            Assert.Equal(first, session.Handle);
            session.Forget();
            session.SetString("a", "changed");
            return session.Handle == first ? "the same" : "another";
        });
        app.MapGet("/bind-large", async (HttpContext http) =>
        {
            var session = http.GetActorSession();
            session.SetString("a", "changed");
            session.Set("large", new byte[100_000]);
            await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.BindAsync("ada"));
            session.Remove("large");
            return "taken back";
        });
        var page = "the page"u8.ToArray();
        app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
        app.MapGet("/reset", (HttpContext http) => http.Session.SetString("a", "before"));
        app.MapGet("/large", (HttpContext http) => http.Session.Set("a", new byte[70_000]));
        Map("text", http => http.Response.WriteAsync("the page"));
        Map("json", http => http.Response.WriteAsJsonAsync("the page"));
        Map("stream", http => http.Response.Body.WriteAsync(page).AsTask());
        Map("writer", async http =>
        {
            page.CopyTo(http.Response.BodyWriter.GetSpan(page.Length));
            http.Response.BodyWriter.Advance(page.Length);
            await http.Response.BodyWriter.FlushAsync();
        });
        Map("writer-unflushed", http =>
        {
            page.CopyTo(http.Response.BodyWriter.GetSpan(page.Length));
            http.Response.BodyWriter.Advance(page.Length);
            return Task.CompletedTask;
        });
        Map("writer-completed", http =>
        {
            page.CopyTo(http.Response.BodyWriter.GetMemory(page.Length));
            http.Response.BodyWriter.Advance(page.Length);
            http.Response.BodyWriter.Complete();
            return Task.CompletedTask;
        });
        Map("writer-write", async http => await http.Response.BodyWriter.WriteAsync(page));
        Map("mixed", async http =>
        {
            page.AsSpan(0, 4).CopyTo(http.Response.BodyWriter.GetSpan(4));
            http.Response.BodyWriter.Advance(4);
            await http.Response.Body.WriteAsync(page.AsMemory(4));
        });
        Map("start-first", async http =>
        {
            await http.Response.StartAsync();
            await http.Response.WriteAsync("the page");
        });
        Map("file", async http =>
        {
            var path = Path.GetTempFileName();
            await File.WriteAllBytesAsync(path, page);
            await http.Response.SendFileAsync(path);
            File.Delete(path);
        });
        Map("complete", http => http.Response.CompleteAsync());
        Map("redirect", http =>
        {
            http.Response.Redirect("/get");
            return Task.CompletedTask;
        });
        Map("empty", _ => Task.CompletedTask);
        Map("encoded-by-endpoint", http =>
        {
            http.Response.Headers.ContentEncoding = "br";
            return http.Response.Body.WriteAsync(page).AsTask();
        });
        Map("written-synchronously", http =>
        {
            http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
            http.Response.Body.Write(page);
            return Task.CompletedTask;
        });
        app.MapGet("/stream-taken-before", async (HttpContext http) =>
        {
            var body = http.Response.Body;
            http.Session.SetString("a", "changed");
            await body.WriteAsync(page);
        });
        app.MapGet("/set-in-on-starting", async (HttpContext http) =>
        {
            http.Response.OnStarting(() =>
            {
                http.Session.SetString("a", "changed");
                return Task.CompletedTask;
            });
            await http.Response.WriteAsync("the page");
        });
        app.MapGet("/written-before-the-change", async (HttpContext http) =>
        {
            page.CopyTo(http.Response.BodyWriter.GetSpan(page.Length));
            http.Response.BodyWriter.Advance(page.Length);
            http.Session.SetString("a", "changed");
            await http.Response.BodyWriter.FlushAsync();
        });
        app.MapGet("/streaming", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("the page");
            await http.Response.Body.FlushAsync();
            http.Session.SetString("a", "changed");
        });

        void Map(string way, RequestDelegate write) => app.MapGet($"/{way}", http =>
        {
            http.Session.SetString("a", "changed");
            http.Response.Headers["X-Page"] = "yes";
            http.Response.Cookies.Append("page", "cookie");
            http.Response.ContentType = "text/plain";
            return write(http);
        });
    }
}
