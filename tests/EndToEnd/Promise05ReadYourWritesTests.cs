using System.Net;

namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise05ReadYourWritesTests(Site site)
{
    [Fact]
    public async Task The_next_request_sees_the_change_at_whichever_server_it_arrives()
    {
        using var first = site.NewVisitor();
        using var second = first.At(site.Second.Address);

        for (var i = 0; i < 50; i++)
        {
            var (here, there) = i % 2 == 0 ? (first, second) : (second, first);
            await here.GetAsync($"/set/n/{i}");
            Assert.Equal($"{i}", await there.GetAsync("/get/n"));
        }
    }

    [Theory]
    [InlineData("/set/a/x")]
    [InlineData("/redirect/a/x")]
    [InlineData("/body-writer/a/x")]
    public async Task Whatever_a_response_is_made_of_the_change_is_stored_before_it(string path)
    {
        using var visitor = site.NewVisitor();
        using var elsewhere = visitor.At(site.Second.Address);
        await visitor.GetAsync("/set/a/before");

        using var response = await visitor.TryGetAsync(path);

        Assert.Equal("x", await elsewhere.GetAsync("/get/a"));
    }

    [Fact]
    public async Task The_change_is_stored_before_the_first_byte_leaves()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/before");
        var gate = RequestId.New().ToString();

        using var response = await visitor.TryGetAsync($"/first-byte/{gate}/a/x", HttpCompletionOption.ResponseHeadersRead);

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal("x", await elsewhere.GetAsync("/get/a"));
        await visitor.GetAsync($"/gates/{gate}/open");
        Assert.Equal("first second", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_change_that_cannot_be_stored_is_answered_with_an_error_and_not_with_the_page()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        using var response = await visitor.TryGetAsync("/many/2000");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("MaxProperties = 1024", problem, StringComparison.Ordinal);
        Assert.Equal("a", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_session_that_cannot_be_started_is_answered_with_an_error_and_without_a_cookie()
    {
        using var visitor = site.NewVisitor();

        using var response = await visitor.TryGetAsync("/many/2000");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_change_that_cannot_be_stored_after_the_first_byte_breaks_the_response_off()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        await Assert.ThrowsAsync<HttpRequestException>(() => visitor.GetAsync("/stream-many/2000"));

        Assert.Equal("a", await visitor.GetAsync("/keys"));
    }
}
