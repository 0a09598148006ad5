using System.Net;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// An application with ASP.NET Core's own session is replaced by one with this one, on the same Redis, and its visitors notice nothing.
/// </summary>
public sealed class ImportTests : IAsyncLifetime
{
    private readonly TempFolder _keys = new();
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    [Fact]
    public async Task A_visitor_finds_what_they_had_and_nothing_of_it_is_left_in_the_old_place()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann", "/set-number/visits/41", "/set/empty/%20");
        var oldCookie = visitor.SessionCookie;
        Assert.Single(await OldKeysAsync());
        await using var app = await StartNewAsync("--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:Microsoft=Trace");
        using var here = visitor.At(app.Address);

        Assert.Equal("ann", await here.GetAsync("/get/name"));

        Assert.NotEqual(oldCookie, here.SessionCookie);
        Assert.Equal(await here.GetAsync("/id"), here.Handle.ToString());
        Assert.Empty(await OldKeysAsync());
        Assert.Equal("empty name visits", await here.GetAsync("/keys"));
        Assert.Equal("42", await here.GetAsync("/increment/visits"));
        await Until.TrueAsync(() => app.Output.Contains($"[{WebLog.SessionImportedId}]", StringComparison.Ordinal), "it is logged");
        Assert.DoesNotContain(WebUtility.UrlDecode(oldCookie)!, WebUtility.UrlDecode(app.Output), StringComparison.Ordinal);
        Assert.DoesNotContain($"[{WebLog.CookieRefusedId}]", app.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(here.Secret), app.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Twenty_first_requests_at_once_at_two_servers_end_in_one_session_and_lose_nothing()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var first = await StartNewAsync();
        await using var second = await StartNewAsync();
        var visitors = Enumerable.Range(0, 20).Select(i => Copy(visitor, i % 2 == 0 ? first : second)).ToArray();

        await Task.WhenAll(visitors.Select((one, i) => one.GetAsync($"/set/p{i}/{i}")));

        Assert.Single(visitors.Select(one => one.Handle).Distinct());
        foreach (var one in visitors)
        {
            Assert.Equal(21, (await one.GetAsync("/keys")).Split(' ').Length);
            one.Dispose();
        }

        Assert.Empty(await OldKeysAsync());
    }

    [Fact]
    public async Task A_log_out_stays_whoever_comes_with_the_old_cookie_later()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        await using var other = await StartNewAsync();
        using var here = Copy(visitor, app);
        using var late = Copy(visitor, other);
        await here.GetAsync("/get/name");
        var session = here.Handle;

        await here.GetAsync("/destroy");
        // As if the tombstone's time were over.
        await (await _redis.DatabaseAsync()).KeyDeleteAsync(SiteRedis.KeyOf(session));

        Assert.Equal("-", await late.GetAsync("/get/name"));
        await late.GetAsync("/set/name/bob");
        Assert.NotEqual(session, late.Handle);
        Assert.Null(here.SessionCookie);
    }

    [Fact]
    public async Task A_log_out_by_the_old_cookie_itself_stays()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        await using var other = await StartNewAsync();
        using var here = Copy(visitor, app);

        await here.GetAsync("/destroy");

        Assert.Empty(await OldKeysAsync());
        using var late = Copy(visitor, other);
        Assert.Equal("-", await late.GetAsync("/get/name"));
    }

    [Fact]
    public async Task A_visitor_who_never_got_the_new_cookie_comes_again_with_the_old_one()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        using var lost = Copy(visitor, app);
        await lost.GetAsync("/set/more/yes");

        using var again = Copy(visitor, app);

        Assert.Equal("yes", await again.GetAsync("/get/more"));
        Assert.Equal(lost.Handle, again.Handle);
    }

    [Fact]
    public async Task After_a_rotation_the_old_cookie_opens_nothing_and_takes_nobodys_place()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        using var here = Copy(visitor, app);
        using var late = Copy(visitor, app);
        var held = await late.HoldAsync("read", "name");
        await here.GetAsync("/regenerate");
        var newest = here.SessionCookie;

        using (var answer = await held.LetGoAsync())
        {
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }

        using var later = Copy(visitor, app);
        Assert.Equal("-", await later.GetAsync("/get/name"));
        Assert.Equal("ann", await here.GetAsync("/get/name"));
        Assert.Equal(newest, here.SessionCookie);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData(null)]
    public async Task Made_up_cookies_are_new_visitors_and_ask_no_cache(string? cookie)
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        using var forger = new Browser(app.Address) { SessionCookie = cookie ?? Changed(visitor.SessionCookie!) };

        Assert.Equal("-", await forger.GetAsync("/get/name"));

        await forger.GetAsync("/set/name/eve");
        Assert.Equal("eve", await forger.GetAsync("/get/name"));
        Assert.Single(await OldKeysAsync());
        await Until.TrueAsync(() => app.Output.Contains($"[{WebLog.CookieRefusedId}]", StringComparison.Ordinal), "it is logged");
    }

    [Fact]
    public async Task A_session_that_has_run_out_is_a_new_visitors_and_so_is_a_damaged_one()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        using var unlucky = await VisitorOfOldAsync("/set/name/bob");
        var database = await _redis.DatabaseAsync();
        var keys = await OldKeysAsync();
        foreach (var key in keys)
        {
            var data = (byte[])(await database.HashGetAsync(key, "data"))!;
            if (data.AsSpan().IndexOf("ann"u8) >= 0)
            {
                await database.KeyDeleteAsync(key);
            }
            else
            {
                await database.HashSetAsync(key, "data", data[..^1]);
            }
        }

        await using var app = await StartNewAsync();
        foreach (var one in new[] { Copy(visitor, app), Copy(unlucky, app) })
        {
            Assert.Equal("-", await one.GetAsync("/get/name"));
            await one.GetAsync("/set/name/new");
            Assert.Equal("new", await one.GetAsync("/get/name"));
            one.Dispose();
        }

        Assert.Equal(2, keys.Length);
        await Until.TrueAsync(() => app.Output.Contains($"[{WebLog.OldSessionDamagedId}]", StringComparison.Ordinal), "it is logged");
    }

    [Fact]
    public async Task A_session_that_is_too_large_stays_where_it_is_until_the_limit_is_raised()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann", "/large/70000");
        await using (var app = await StartNewAsync())
        {
            using var here = Copy(visitor, app);
            using var answer = await here.TryGetAsync("/get/name");
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
            Assert.Equal(visitor.SessionCookie, here.SessionCookie);
        }

        await using var larger = await StartNewAsync("--SessionActors:MaxPropertyBytes=100000");
        using var again = Copy(visitor, larger);
        Assert.Equal("ann", await again.GetAsync("/get/name"));
    }

    [Fact]
    public async Task A_cookie_of_another_name_is_deleted_once_ours_has_taken_its_place()
    {
        await using var old = await StartOldAsync("--OldCookie=shop");
        using var visitor = new Browser(old.Address);
        await visitor.GetAsync("/set/name/ann");
        await using var app = await StartNewAsync("--OldCookie=shop");
        using var here = visitor.At(app.Address);

        Assert.Equal("ann", await here.GetAsync("/get/name"));

        Assert.Equal([".AspNetCore.Session"], here.Cookies.GetCookies(here.Address).Select(cookie => cookie.Name));
        Assert.Equal("ann", await here.GetAsync("/get/name"));
        Assert.Empty(await OldKeysAsync());
    }

    [Fact]
    public async Task An_endpoint_without_a_session_and_a_visitor_without_a_cookie_ask_no_cache()
    {
        using var visitor = await VisitorOfOldAsync("/set/name/ann");
        await using var app = await StartNewAsync();
        using var here = Copy(visitor, app);

        using var answer = await here.TryGetAsync("/none");

        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.Single(await OldKeysAsync());
        using var stranger = new Browser(app.Address);
        Assert.Equal("-", await stranger.GetAsync("/get/name"));
        Assert.Null(stranger.SessionCookie);
    }

    [Theory]
    [InlineData("Fail", HttpStatusCode.ServiceUnavailable)]
    [InlineData("Ignore", HttpStatusCode.OK)]
    public async Task While_the_cache_is_out_of_reach_the_answer_is_as_for_our_own_store_and_nothing_is_lost(
        string onUnavailable, HttpStatusCode expected)
    {
        await using var ours = await RedisServer.StartAsync();
        _ = await _redis.AdminAsync();
        await using var old = await StartOldAsync();
        using var visitor = new Browser(old.Address);
        await visitor.GetAsync("/set/name/ann");
        await using var app = await AppProcess.StartAsync(
            Site.App, [.. Old(), $"--SessionActors:Redis={ours.Address}", $"--SessionActors:OnUnavailable={onUnavailable}",
            "--SessionActors:IOTimeout=00:00:02"]);
        using var here = Copy(visitor, app);

        await _redis.PauseAsync();
        using (var answer = await here.TryGetAsync("/set/more/yes"))
        {
            Assert.Equal(expected, answer.StatusCode);
            Assert.Equal(visitor.SessionCookie, here.SessionCookie);
        }

        await _redis.ResumeAsync();
        await Until.TrueAsync(async () => (await here.TryGetAsync("/get/name")).IsSuccessStatusCode
            && here.SessionCookie != visitor.SessionCookie, "the session is brought over");
        Assert.Equal("ann", await here.GetAsync("/get/name"));
        Assert.Equal("-", await here.GetAsync("/get/more"));
    }

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _keys.Dispose();
    }

    private static Browser Copy(Browser visitor, AppProcess app) => new(app.Address) { SessionCookie = visitor.SessionCookie };

    // Another letter in the middle, and so another code.
    private static string Changed(string cookie) =>
        $"{cookie[..60]}{(cookie[60] == 'A' ? 'B' : 'A')}{cookie[61..]}";

    private async Task<Browser> VisitorOfOldAsync(params string[] paths)
    {
        await using var old = await StartOldAsync();
        var visitor = new Browser(old.Address);
        foreach (var path in paths)
        {
            await visitor.GetAsync(path);
        }

        await old.StopAsync();
        return visitor;
    }

    private string[] Old() => [$"--OldRedis={_redis.Address}", $"--OldKeys={_keys.Path}"];

    private Task<AppProcess> StartOldAsync(params string[] arguments) =>
        AppProcess.StartAsync(Site.App, ["--Stock=true", .. Old(), .. arguments]);

    private Task<AppProcess> StartNewAsync(params string[] arguments) =>
        AppProcess.StartAsync(Site.App, [.. Old(), $"--SessionActors:Redis={_redis.Address}", .. arguments]);

    private async Task<RedisKey[]> OldKeysAsync() =>
        [.. (await _redis.AdminAsync()).GetServer(_redis.Address).Keys(pattern: "old:*")];
}
