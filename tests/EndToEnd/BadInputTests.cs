using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace SessionActors;

/// <summary>What nobody in good faith sends, and what is merely unusual, over both stores.</summary>
public sealed class BadInputTests(BadInputTests.Sites sites) : IClassFixture<BadInputTests.Sites>
{
    /// <summary>One application with each store, of 10,000 properties a session at most.</summary>
    public sealed class Sites : IAsyncLifetime
    {
        private readonly TempFolder _folder = new();
        private readonly Dictionary<string, AppProcess> _apps = [];
        private RedisServer _redis = null!;

        public Uri this[string store] => _apps[store].Address;

        public async ValueTask InitializeAsync()
        {
            _redis = await RedisServer.StartAsync();
            await StartAsync("redis");
            await StartAsync("embedded");
        }

        /// <summary>Stops an application and starts it again, so that what it knows comes from its store.</summary>
        public async Task RestartAsync(string store)
        {
            await _apps[store].StopAsync();
            await _apps[store].DisposeAsync();
            await StartAsync(store);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var app in _apps.Values)
            {
                await app.DisposeAsync();
            }

            await _redis.DisposeAsync();
            _folder.Dispose();
        }

        private async Task StartAsync(string store) => _apps[store] = await AppProcess.StartAsync(
            Site.App,
            store == "redis" ? $"--SessionActors:Redis={_redis.Address}" : $"--SessionActors:DataFolder={_folder.Path}",
            "--SessionActors:MaxProperties=10000");
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("....")]
    [InlineData("%00%FF%0D%0A")]
    [InlineData("\"quoted\"")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("'; DROP TABLE sessions; --")]
    [InlineData("AAAA", 1000)]
    public async Task A_cookie_that_is_garbage_is_no_cookie(string garbage, int times = 1)
    {
        var text = string.Concat(Enumerable.Repeat(garbage, times));

        var (body, setsCookie) = await VisitAsync(sites["redis"], "/get/a", text);

        Assert.Equal("-", body);
        Assert.False(setsCookie);
    }

    [Fact]
    public async Task A_cookie_with_any_one_character_changed_opens_nothing()
    {
        using var visitor = new Browser(sites["redis"]);
        await visitor.GetAsync("/set/a/mine");
        var cookie = visitor.SessionCookie!;
        Assert.Equal("mine", (await VisitAsync(sites["redis"], "/get/a", cookie)).Body);

        for (var i = 0; i < cookie.Length; i++)
        {
            var forged = cookie.ToCharArray();
            forged[i] = forged[i] == 'A' ? 'B' : 'A';
            Assert.Equal("-", (await VisitAsync(sites["redis"], "/get/a", new string(forged))).Body);
        }

        Assert.Equal("-", (await VisitAsync(sites["redis"], "/get/a", cookie[..^1])).Body);
        Assert.Equal("-", (await VisitAsync(sites["redis"], "/get/a", cookie + "A")).Body);
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("embedded")]
    public async Task A_cookie_from_before_a_rotation_reads_nothing_writes_nothing_and_gets_no_cookie(string store)
    {
        using var visitor = new Browser(sites[store]);
        await visitor.GetAsync("/set/a/mine");
        var stolen = visitor.SessionCookie!;
        await visitor.GetAsync("/regenerate");
        Assert.NotEqual(stolen, visitor.SessionCookie);

        Assert.Equal(("-", false), await VisitAsync(sites[store], "/get/a", stolen));
        Assert.Equal(("set", false), await VisitAsync(sites[store], "/set/a/stolen", stolen));
        Assert.Equal(("cleared", false), await VisitAsync(sites[store], "/clear", stolen));
        Assert.Equal(("destroyed", false), await VisitAsync(sites[store], "/destroy", stolen));

        Assert.Equal("mine", await visitor.GetAsync("/get/a"));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("embedded")]
    public async Task The_cookie_of_a_destroyed_session_opens_nothing_and_a_write_with_it_begins_another(string store)
    {
        using var visitor = new Browser(sites[store]);
        await visitor.GetAsync("/set/a/mine");
        var old = visitor.SessionCookie!;
        var handle = await visitor.GetAsync("/id");
        await visitor.GetAsync("/destroy");
        Assert.Null(visitor.SessionCookie);

        Assert.Equal(("-", false), await VisitAsync(sites[store], "/get/a", old));
        using var returning = new Browser(sites[store]) { SessionCookie = old };
        await returning.GetAsync("/set/a/again");

        Assert.NotEqual(old, returning.SessionCookie);
        Assert.NotEqual(handle, await returning.GetAsync("/id"));
        Assert.Equal(("-", false), await VisitAsync(sites[store], "/get/a", old));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("embedded")]
    public async Task Names_and_values_of_every_kind_come_back_as_they_were(string store)
    {
        string[] names =
        [
            "", "@", "@@", "@v", "@@owner", "\0", "a\0b", "\u0001", " ", "ä", "🍵", "\U0001F469\u200D\U0001F4BB", "e\u0301", "é",
            "a:b{c}*?", "'; DROP TABLE", "\r\n", new('n', 5000),
        ];
        using var visitor = new Browser(sites[store]);
        foreach (var name in names)
        {
            await visitor.SetAsync(name, [0, 1, 255, .. Encoding.UTF8.GetBytes(name)]);
        }

        await visitor.SetAsync("empty value", []);
        await sites.RestartAsync(store);
        using var returning = visitor.At(sites[store]);
        var found = JsonSerializer.Deserialize<string[]>(await returning.GetAsync("/names"))!;
        Assert.Equal(names.Append("empty value").Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        foreach (var name in names)
        {
            var value = await returning.GetAsync($"/value?name={Uri.EscapeDataString(name)}");
            Assert.Equal($"0001FF{Convert.ToHexString(Encoding.UTF8.GetBytes(name))}", value);
        }

        Assert.Equal("", await returning.GetAsync("/value?name=empty%20value"));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("embedded")]
    public async Task The_longest_name_is_kept_and_a_longer_one_is_the_applications_error(string store)
    {
        using var visitor = new Browser(sites[store]);
        await visitor.GetAsync("/set/a/mine");

        using var longer = await visitor.TryGetAsync("/long-name/70000");
        Assert.Equal(HttpStatusCode.InternalServerError, longer.StatusCode);
        Assert.Equal("a", await visitor.GetAsync("/keys"));
        await visitor.GetAsync("/long-name/65535");
        await sites.RestartAsync(store);

        using var returning = visitor.At(sites[store]);
        Assert.Equal(["a", new string('n', 65535)], (await returning.GetAsync("/keys")).Split(' '));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("embedded")]
    public async Task Ten_thousand_properties_are_kept_and_one_more_is_refused(string store)
    {
        using var visitor = new Browser(sites[store]);
        await visitor.GetAsync("/many/10000");

        await AssertLimitAsync(await visitor.TryGetAsync("/set/one/more"), "MaxProperties = 10000");
        await sites.RestartAsync(store);

        using var returning = visitor.At(sites[store]);
        var keys = (await returning.GetAsync("/keys")).Split(' ');
        Assert.Equal(Enumerable.Range(0, 10000).Select(i => $"many{i}").Order(StringComparer.Ordinal), keys);
        // One goes, one comes.
        await returning.GetAsync("/remove/many0");
        await returning.GetAsync("/set/one/more");
    }

    [Theory]
    [InlineData("redis", "/large/1/2097152", "MaxPropertyBytes = 65536")]
    [InlineData("embedded", "/large/1/2097152", "MaxPropertyBytes = 65536")]
    [InlineData("redis", "/large/20/65536", "MaxSessionBytes = 1048576")]
    [InlineData("embedded", "/large/20/65536", "MaxSessionBytes = 1048576")]
    [InlineData("redis", "/many/10001", "MaxProperties = 10000")]
    public async Task What_is_too_large_is_refused_as_a_whole_and_the_limit_named(string store, string path, string limit)
    {
        using var visitor = new Browser(sites[store]);
        await AssertLimitAsync(await visitor.TryGetAsync(path), limit);
        Assert.Null(visitor.SessionCookie);

        await visitor.GetAsync("/set/a/mine");
        await AssertLimitAsync(await visitor.TryGetAsync(path), limit);
        Assert.Equal("a", await visitor.GetAsync("/keys"));
        await visitor.GetAsync("/set/b/too");
        Assert.Equal("a b", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_session_of_just_the_limit_is_kept()
    {
        using var visitor = new Browser(sites["redis"]);

        // 15 values and their names leave room for less than one more.
        await visitor.GetAsync("/large/15/65536");

        Assert.Equal(15, (await visitor.GetAsync("/keys")).Split(' ').Length);
    }

    private static async Task AssertLimitAsync(HttpResponseMessage response, string limit)
    {
        using (response)
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
            Assert.Equal("The session is too large.", problem.GetProperty("title").GetString());
            Assert.Contains(limit, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    /// <summary>A request with a cookie that no cookie jar would hold.</summary>
    private static async Task<(string Body, bool SetsCookie)> VisitAsync(Uri address, string path, string cookie)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        request.Headers.TryAddWithoutValidation("Cookie", $".AspNetCore.Session={cookie}");
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadAsStringAsync(Cancelled), response.Headers.Contains("Set-Cookie"));
    }
}
