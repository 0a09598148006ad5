using System.IO.Compression;
using System.Net;
using System.Text.Json;

namespace SessionActors;

/// <summary>A Redis whose memory is full, so that it refuses writes, and two applications with sessions from before that.</summary>
public sealed class FullStore : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    public AppProcess Failing { get; private set; } = null!;

    public AppProcess Ignoring { get; private set; } = null!;

    /// <summary>A visitor whose session has a property <c>page</c> with the value <c>old</c>.</summary>
    public Browser Visitor { get; private set; } = null!;

    public Browser IgnoringVisitor { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Failing = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={Redis.Address}");
        Visitor = new Browser(Failing.Address);
        await Visitor.GetAsync("/set/page/old");
        Ignoring = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={Redis.Address}", "--SessionActors:OnUnavailable=Ignore", "--SessionActors:KeyPrefix=other:");
        IgnoringVisitor = new Browser(Ignoring.Address);
        await IgnoringVisitor.GetAsync("/set/page/old");
        await (await Redis.AdminAsync()).GetServer(Redis.Address).ConfigSetAsync("maxmemory", "1");
    }

    public async ValueTask DisposeAsync()
    {
        await Failing.DisposeAsync();
        await Ignoring.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

public sealed class CommitFailureTests(FullStore store) : IClassFixture<FullStore>
{
    private const string Page = "This is the page.";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("redirect")]
    [InlineData("write")]
    [InlineData("body")]
    [InlineData("pipe")]
    [InlineData("unflushed")]
    [InlineData("empty")]
    public async Task A_page_whose_changes_cannot_be_stored_does_not_reach_the_visitor(string way)
    {
        using var response = await store.Visitor.TryGetAsync($"/page/{way}/new");

        await AssertUnavailableAsync(response);
        Assert.False(response.Headers.Contains("X-Page"));
        Assert.Null(response.Headers.Location);
        Assert.Equal("old", await store.Visitor.GetAsync("/get/page"));
    }

    [Fact]
    public async Task A_new_session_that_cannot_be_stored_has_no_cookie()
    {
        using var visitor = new Browser(store.Failing.Address);

        using var response = await visitor.TryGetAsync("/page/text/new");

        await AssertUnavailableAsync(response);
        Assert.Null(visitor.SessionCookie);
    }

    [Fact]
    public async Task A_redirect_with_temp_data_that_cannot_be_stored_leads_nowhere()
    {
        using var response = await store.Visitor.TryGetAsync("/temp/put/hello");

        await AssertUnavailableAsync(response);
        Assert.Null(response.Headers.Location);
    }

    [Fact]
    public async Task A_page_that_is_on_its_way_is_torn_off()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => store.Visitor.GetAsync("/stream/page/new"));

        Assert.Equal("old", await store.Visitor.GetAsync("/get/page"));
    }

    [Fact]
    public async Task Behind_response_compression_the_visitor_can_read_the_problem()
    {
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = store.Visitor.Cookies });
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("gzip");

        using var response = await client.GetAsync(new Uri(store.Failing.Address, "/page/text/new"), Cancelled);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var body = await response.Content.ReadAsStreamAsync(Cancelled);
        var text = new StreamReader(
            response.Content.Headers.ContentEncoding.Contains("gzip") ? new GZipStream(body, CompressionMode.Decompress) : body);
        AssertProblem(await text.ReadToEndAsync(Cancelled));
    }

    [Fact]
    public async Task A_failing_increment_answers_as_a_failing_commit()
    {
        using var response = await store.Visitor.TryGetAsync("/increment/n");

        await AssertUnavailableAsync(response);
        Assert.Equal("-", await store.Visitor.GetAsync("/number/n"));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("unflushed")]
    public async Task Ignored_a_failing_commit_lets_the_page_pass_and_drops_the_change(string way)
    {
        Assert.Equal(Page, await store.IgnoringVisitor.GetAsync($"/page/{way}/new"));

        Assert.Equal("old", await store.IgnoringVisitor.GetAsync("/get/page"));
    }

    private static async Task AssertUnavailableAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("1", response.Headers.RetryAfter?.ToString());
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.CacheControl?.NoStore);
        AssertProblem(await response.Content.ReadAsStringAsync(Cancelled));
    }

    private static void AssertProblem(string body)
    {
        using var problem = JsonDocument.Parse(body);
        Assert.Equal(503, problem.RootElement.GetProperty("status").GetInt32());
        Assert.Equal("The session is unavailable.", problem.RootElement.GetProperty("title").GetString());
        Assert.Contains("Nothing was changed", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Page, body, StringComparison.Ordinal);
    }
}
