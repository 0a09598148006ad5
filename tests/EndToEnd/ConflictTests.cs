using System.Net;
using System.Text.Json;

namespace SessionActors;

/// <summary>Two requests that change the same property, where that is to be refused, or is an atomic operation.</summary>
[Collection(nameof(Site))]
public sealed class ConflictTests(Site site)
{
    private const string Page = "This is the page.";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/refusing/{0}/text/a/mine")]
    [InlineData("/refusing/{0}/pipe/a/mine")]
    [InlineData("/refusing/{0}/redirect/a/mine")]
    [InlineData("/refusing-action/{0}/a/mine")]
    [InlineData("/refusing-commit/{0}/unhandled/a/mine")]
    public async Task Where_conflicts_are_refused_the_slower_request_gets_409_and_none_of_its_page(string path)
    {
        using var visitor = await NewVisitorAsync();
        var slow = await HoldAsync(visitor, path);
        await visitor.GetAsync("/set/a/theirs");

        using var response = await slow.LetGoAsync();

        await AssertConflictAsync(response, "'a'");
        Assert.Equal("theirs", await visitor.GetAsync("/get/a"));
    }

    [Theory]
    [InlineData("/refusing/{0}/text/b/mine")]
    [InlineData("/refusing-action/{0}/b/mine")]
    [InlineData("/refusing-commit/{0}/unhandled/b/mine")]
    public async Task Different_properties_are_no_conflict(string path)
    {
        using var visitor = await NewVisitorAsync();
        var slow = await HoldAsync(visitor, path);
        await visitor.GetAsync("/set/a/theirs");

        using var response = await slow.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("theirs", await visitor.GetAsync("/get/a"));
        Assert.Equal("mine", await visitor.GetAsync("/get/b"));
    }

    [Fact]
    public async Task A_request_that_catches_the_conflict_sees_what_is_there_once_it_reloads_and_answers_itself()
    {
        using var visitor = await NewVisitorAsync();
        var slow = await HoldAsync(visitor, "/refusing-commit/{0}/caught/a/mine");
        await visitor.GetAsync("/set/a/theirs");

        using var response = await slow.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("a is theirs", await response.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal("theirs", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_request_is_in_no_conflict_with_its_own_commits_and_operations()
    {
        using var visitor = await NewVisitorAsync();
        var slow = await HoldAsync(visitor, "/steps/{0}/b");
        await visitor.GetAsync("/set/a/theirs");

        using var response = await slow.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("3", await visitor.GetAsync("/get/b"));
        Assert.Equal("7", await visitor.GetAsync("/number/steps"));
    }

    [Fact]
    public async Task A_change_between_a_requests_own_commits_is_a_conflict()
    {
        using var visitor = await NewVisitorAsync();
        var slow = await HoldAsync(visitor, "/steps/{0}/b");
        await visitor.GetAsync("/set/b/theirs");

        using var response = await slow.LetGoAsync();

        await AssertConflictAsync(response, "'b'");
        Assert.Equal("theirs", await visitor.GetAsync("/get/b"));
    }

    [Theory]
    [InlineData("Fail")]
    [InlineData("Ignore")]
    public async Task By_option_all_requests_refuse_conflicts_but_those_of_endpoints_that_say_otherwise(string onUnavailable)
    {
        await using var app = await AppProcess.StartAsync(
            Site.App, "--SessionActors:DataFolder=:memory:", "--SessionActors:OnConflict=Refuse",
            $"--SessionActors:OnUnavailable={onUnavailable}");
        using var visitor = new Browser(app.Address);
        await visitor.GetAsync("/set/a/old");
        var slow = await visitor.HoldAsync("set", "a", "mine");
        var lenient = await HoldAsync(visitor, "/lenient/{0}/a/lenient");
        await visitor.GetAsync("/set/a/theirs");

        using var refused = await slow.LetGoAsync();
        Assert.Equal("theirs", await visitor.GetAsync("/get/a"));
        using var response = await lenient.LetGoAsync();

        await AssertConflictAsync(refused, "'a'");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("lenient", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Fifty_parallel_updates_at_two_servers_count_to_fifty()
    {
        using var first = await NewVisitorAsync();
        using var second = first.At(site.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? first : second).GetAsync("/update/n")));

        Assert.Equal("50", await first.GetAsync("/get/n"));
    }

    [Fact]
    public async Task Of_many_parallel_requests_at_two_servers_one_takes_the_value_and_all_get_the_first_that_is_set()
    {
        using var first = await NewVisitorAsync();
        using var second = first.At(site.Second.Address);

        var taken = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? first : second).GetAsync("/take/a")));
        var got = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? first : second).GetAsync($"/get-or-set/a/v{i}")));

        Assert.Equal("old", Assert.Single(taken, value => value != "-"));
        Assert.Equal(await first.GetAsync("/get/a"), Assert.Single(got.Distinct()));
    }

    private async Task<Browser> NewVisitorAsync()
    {
        var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/old");
        return visitor;
    }

    /// <summary>Begins a request at a path with a gate in it, and returns when it stands there.</summary>
    private static async Task<HeldRequest> HoldAsync(Browser visitor, string path)
    {
        var gate = RequestId.New().ToString();
        var response = visitor.TryGetAsync(path.Replace("{0}", gate, StringComparison.Ordinal));
        await visitor.GetAsync($"/gates/{gate}/arrived");
        return new HeldRequest(visitor, gate, response);
    }

    private static async Task AssertConflictAsync(HttpResponseMessage response, string property)
    {
        var body = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.False(response.Headers.Contains("X-Page"));
        Assert.Null(response.Headers.Location);
        Assert.DoesNotContain(Page, body, StringComparison.Ordinal);
        using var problem = JsonDocument.Parse(body);
        Assert.Equal(409, problem.RootElement.GetProperty("status").GetInt32());
        Assert.Contains(property, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
