using System.Net;

namespace SessionActors;

/// <summary>MVC's TempData over the session: a message for the next page.</summary>
[Collection(nameof(Site))]
public sealed class TempDataTests(Site site)
{
    [Fact]
    public async Task Of_two_requests_at_once_one_shows_the_message()
    {
        using var visitor = await WithMessageAsync("hello");
        using var elsewhere = visitor.At(site.Second.Address);
        var one = await HoldAsync(visitor);
        var other = await HoldAsync(elsewhere);
        var third = await HoldAsync(visitor);

        // All have opened the session, and see the message.
        var shown = await Task.WhenAll(TextAsync(one), TextAsync(other), TextAsync(third));

        Assert.Equal(["-", "-", "hello"], shown.Order(StringComparer.Ordinal));
        Assert.Equal("-", await visitor.GetAsync("/temp/take"));
        Assert.Equal("", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_message_is_shown_once_and_then_gone()
    {
        using var visitor = await WithMessageAsync("hello");

        Assert.Equal("untouched", await visitor.GetAsync("/temp/untouched"));
        Assert.Equal("hello", await visitor.GetAsync("/temp/take"));
        Assert.Equal("-", await visitor.GetAsync("/temp/take"));
        Assert.Equal("", await visitor.GetAsync("/keys"));
    }

    [Theory]
    [InlineData("/temp/peek", "hello")]
    [InlineData("/temp/keep", "hello")]
    [InlineData("/temp/mixed", "hello")]
    [InlineData("/temp/glance", "True")]
    [InlineData("/temp/glance-read-only", "True")]
    public async Task A_message_that_is_kept_is_there_for_the_next_request(string path, string answer)
    {
        using var visitor = await WithMessageAsync("hello");

        Assert.Equal(answer, await visitor.GetAsync(path));
        Assert.Equal(answer, await visitor.GetAsync(path));

        Assert.Equal("hello", await visitor.GetAsync("/temp/peek"));
        Assert.Equal(path == "/temp/mixed" ? "new" : "-", await visitor.GetAsync("/temp/take-other"));
        Assert.Equal("hello", await visitor.GetAsync("/temp/take"));
    }

    [Fact]
    public async Task A_newer_message_is_the_one_that_is_taken()
    {
        using var visitor = await WithMessageAsync("old");
        var held = await HoldAsync(visitor);
        using var redirect = await visitor.TryGetAsync("/temp/put/new");

        Assert.Equal("new", await TextAsync(held));

        Assert.Equal("-", await visitor.GetAsync("/temp/take"));
    }

    [Fact]
    public async Task Taking_is_one_write_and_a_request_that_does_not_look_makes_none()
    {
        using var visitor = await WithMessageAsync("hello");
        var start = await visitor.GetAsync("/version");

        await visitor.GetAsync("/temp/untouched");
        var untouched = await visitor.GetAsync("/version");
        await visitor.GetAsync("/temp/take");
        var taken = await visitor.GetAsync("/version");
        await visitor.GetAsync("/temp/take");

        Assert.Equal(start, untouched);
        Assert.Equal(long.Parse(start, null) + 1, long.Parse(taken, null));
        Assert.Equal(taken, await visitor.GetAsync("/version"));
    }

    [Fact]
    public async Task A_message_of_a_session_that_has_ended_meanwhile_is_none_and_the_page_goes_out()
    {
        using var visitor = await WithMessageAsync("hello");
        var held = await HoldAsync(visitor);
        using var elsewhere = new Browser(visitor.Address, new CookieContainer()) { SessionCookie = visitor.SessionCookie };
        await elsewhere.GetAsync("/destroy");

        Assert.Equal("-", await TextAsync(held));
    }

    [Fact]
    public async Task Where_conflicts_are_refused_a_kept_message_is_none()
    {
        await using var app = await AppProcess.StartAsync(
            Site.App, "--SessionActors:DataFolder=:memory:", "--SessionActors:OnConflict=Refuse");
        using var visitor = new Browser(app.Address);
        using var redirect = await visitor.TryGetAsync("/temp/put/hello");

        Assert.Equal("hello", await visitor.GetAsync("/temp/keep"));
        Assert.Equal("hello", await visitor.GetAsync("/temp/peek"));
        Assert.Equal("hello", await visitor.GetAsync("/temp/take"));
        Assert.Equal("-", await visitor.GetAsync("/temp/take"));
    }

    private async Task<Browser> WithMessageAsync(string message)
    {
        var visitor = site.NewVisitor();
        using var redirect = await visitor.TryGetAsync($"/temp/put/{message}");
        Assert.Equal("/temp/take", redirect.Headers.Location?.OriginalString);
        return visitor;
    }

    private static async Task<HeldRequest> HoldAsync(Browser visitor)
    {
        var gate = RequestId.New().ToString();
        var response = visitor.TryGetAsync($"/temp/take-at/{gate}");
        await visitor.GetAsync($"/gates/{gate}/arrived");
        return new HeldRequest(visitor, gate, response);
    }

    private static async Task<string> TextAsync(HeldRequest held)
    {
        using var response = await held.LetGoAsync();
        return response.StatusCode == HttpStatusCode.OK
            ? await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
            : $"{response.StatusCode}";
    }
}
