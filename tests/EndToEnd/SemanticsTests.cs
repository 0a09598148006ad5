using System.Text;

namespace SessionActors;

/// <summary>What applications know from ASP.NET Core's own session and find here unchanged, apart from the cookie.</summary>
[Collection(nameof(Site))]
public sealed class SemanticsTests(Site site)
{
    [Theory]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("@@version")]
    [InlineData("@version")]
    [InlineData("a\0b")]
    [InlineData("🛒 Grüße")]
    [InlineData("with space / slash")]
    public async Task Any_text_can_be_the_name_of_a_property(string name)
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/other/x");

        await visitor.SetAsync(name, "value"u8.ToArray());

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal(Convert.ToHexString("value"u8), await elsewhere.GetAsync($"/value?name={Uri.EscapeDataString(name)}"));
        Assert.Equal("x", await elsewhere.GetAsync("/get/other"));
    }

    [Fact]
    public async Task Names_that_differ_in_case_are_two_properties()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/small");
        await visitor.GetAsync("/set/A/capital");

        Assert.Equal("small", await visitor.GetAsync("/get/a"));
        Assert.Equal("capital", await visitor.GetAsync("/get/A"));
    }

    [Theory]
    [InlineData("null-name", nameof(ArgumentNullException))]
    [InlineData("null-value", nameof(ArgumentNullException))]
    [InlineData("long-name", nameof(ArgumentOutOfRangeException))]
    [InlineData("longest-name", "accepted")]
    public async Task Null_and_names_over_65535_bytes_are_refused(string what, string outcome)
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        Assert.Equal(outcome, await visitor.GetAsync($"/refused/{what}"));
    }

    [Fact]
    public async Task Values_are_copied_in_and_out()
    {
        using var visitor = site.NewVisitor();

        Assert.Equal("0102", await visitor.GetAsync("/copies"));
        Assert.Equal("0102", await visitor.GetAsync("/value?name=a"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    public async Task A_value_is_any_bytes_up_to_the_limit(int length)
    {
        using var visitor = site.NewVisitor();
        var value = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();

        await visitor.SetAsync("a", value);

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal(Convert.ToHexString(value), await elsewhere.GetAsync("/value?name=a"));
    }

    [Fact]
    public async Task Numbers_are_4_bytes_big_endian_and_strings_UTF_8()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set-number/n/258");
        await visitor.GetAsync($"/set/s/{Uri.EscapeDataString("ä")}");

        Assert.Equal("00000102", await visitor.GetAsync("/value?name=n"));
        Assert.Equal(Convert.ToHexString(Encoding.UTF8.GetBytes("ä")), await visitor.GetAsync("/value?name=s"));
    }

    [Theory]
    [InlineData("/get/a")]
    [InlineData("/set/a/y")]
    [InlineData("/fail/a/y")]
    [InlineData("/many/2000")]
    [InlineData("/destroy")]
    public async Task The_session_feature_is_gone_when_the_request_has_passed_whatever_happened(string path)
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        var watch = RequestId.New().ToString();

        using var response = await visitor.TryGetAsync($"{path}?watch={watch}");

        await Until.TrueAsync(async () => await visitor.GetAsync($"/seen/{watch}") != "-", "the request has passed");
        Assert.Equal("gone", await visitor.GetAsync($"/seen/{watch}"));
    }

    [Fact]
    public async Task An_endpoint_without_a_session_has_no_session_feature()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        Assert.Equal("no session", await visitor.GetAsync("/none"));
    }

    [Fact]
    public async Task The_application_can_load_and_commit_itself()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/before");
        var gate = RequestId.New().ToString();
        var request = visitor.GetAsync($"/load-commit/{gate}/a/x");
        await visitor.GetAsync($"/gates/{gate}/arrived");

        // The request is not over yet.
        Assert.Equal("x", await visitor.GetAsync("/get/a"));

        await visitor.GetAsync($"/gates/{gate}/open");
        await request;
    }

    [Fact]
    public async Task An_endpoint_that_fails_keeps_its_changes_to_a_session_that_is_there()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        using var response = await visitor.TryGetAsync("/fail/a/y");

        Assert.Equal(500, (int)response.StatusCode);
        Assert.Equal("y", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_visitor_who_leaves_does_not_stop_the_commit()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        var gate = RequestId.New().ToString();
        using var patience = new CancellationTokenSource();
        var request = visitor.GetUntilAsync($"/abandoned/{gate}/a/kept", patience.Token);
        await visitor.GetAsync($"/gates/{gate}/arrived");

        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await visitor.GetAsync($"/gates/{gate}/open");

        await Until.TrueAsync(async () => await visitor.GetAsync("/get/a") == "kept", "the change of the abandoned request is stored");
    }

    [Fact]
    public async Task What_is_set_while_streaming_is_committed_at_the_end()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        Assert.Equal("first second", await visitor.GetAsync("/stream/a/streamed"));

        Assert.Equal("streamed", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task TempData_survives_one_redirect_and_is_taken_once()
    {
        using var visitor = site.NewVisitor();
        using var redirect = await visitor.TryGetAsync("/temp/put/hello");
        Assert.Equal("/temp/take", redirect.Headers.Location?.OriginalString);

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal("hello", await elsewhere.GetAsync("/temp/take"));
        Assert.Equal("-", await visitor.GetAsync("/temp/take"));
    }

    [Fact]
    public async Task Clear_empties_the_session_and_keeps_it()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        var (handle, cookie) = (visitor.Handle, visitor.SessionCookie);

        await visitor.GetAsync("/clear");

        Assert.Equal("", await visitor.GetAsync("/keys"));
        Assert.Equal(cookie, visitor.SessionCookie);
        Assert.Equal($"{handle}", await visitor.GetAsync("/id"));
    }
}
