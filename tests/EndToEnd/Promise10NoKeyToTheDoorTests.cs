using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace SessionActors;

[Collection(nameof(TalkativeSite))]
public sealed class Promise10NoKeyToTheDoorTests(TalkativeSite site)
{
    private const int CookieLength = 104;

    /// <summary>What can be done to a genuine cookie so that it is none.</summary>
    public static TheoryData<string> Forgeries =>
        ["another handle", "another secret", "another code", "another key", "another format", "another lifetime", "truncated", "over-long",
            "far over-long", "wrong alphabet", "padded", "second spelling", "empty"];

    [Fact]
    public async Task Neither_Redis_nor_logs_metrics_traces_or_pages_hold_what_opens_a_session()
    {
        var secrets = new List<byte[]>();
        var cookies = new List<string>();
        var tickets = new HashSet<string>();
        var pages = new StringBuilder();
        using var visitor = site.NewVisitor();
        using var other = site.NewVisitor();
        foreach (var path in new[]
        {
            "/set/user/ann", "/get/user", "/id", "/keys", "/increment/n", "/regenerate", "/remember/60", "/many/2000", "/fail/a/x",
            "/stream/a/x", "/basket/add/tea", "/sign-in/ann", "/user", "/devices", "/log-out-everywhere?others=true",
        })
        {
            await VisitAsync(visitor, path);
        }

        await VisitAsync(other, "/set/user/bob");
        await VisitAsync(other, "/sign-in/ann");
        await VisitAsync(other, "/sign-out");
        await VisitAsync(other, "/set/user/bob");
        // Where a session stays in Redis, and where it has ended, and where a cookie is refused.
        await VisitAsync(other, "/destroy");
        using var thief = new Browser(site.Server.Address) { SessionCookie = cookies[0] };
        await VisitAsync(thief, "/set/user/eve");
        using var forger = new Browser(site.Server.Address) { SessionCookie = Forged(cookies[^1], "another code") };
        await VisitAsync(forger, "/get/user");

        var everything = new Dictionary<string, string>
        {
            ["Redis"] = await RedisContentsAsync(), ["logs"] = await site.LogAsync(), ["pages"] = pages.ToString(),
            ["metrics and traces"] = await other.GetAsync("/observed"),
        };
        Assert.True(cookies.Distinct().Count() >= 4, "There were several cookies.");
        Assert.True(tickets.Count >= 2, "There were several tickets.");
        Assert.Contains("ann", everything["Redis"], StringComparison.Ordinal);
        // What is looked at is there: our own meters and spans, and the calls of grains.
        Assert.Contains("sessionactors.flush.duration", everything["metrics and traces"], StringComparison.Ordinal);
        Assert.Contains("activity SessionActors open session", everything["metrics and traces"], StringComparison.Ordinal);
        Assert.Contains("activity SessionActors flush session", everything["metrics and traces"], StringComparison.Ordinal);
        Assert.Contains("ISessionGrain", everything["metrics and traces"], StringComparison.Ordinal);
        foreach (var text in everything.Values)
        {
            Assert.DoesNotContain(secrets.SelectMany(Spellings), secret => text.Contains(secret, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(cookies.Concat(tickets), cookie => text.Contains(cookie, StringComparison.Ordinal));
        }

        async Task VisitAsync(Browser browser, string path)
        {
            using var response = await browser.TryGetAsync(path);
            pages.AppendLine(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            foreach (var (name, values) in response.Headers)
            {
                pages.AppendLine(name).AppendJoin(' ', name == "Set-Cookie" ? [] : values);
            }

            if (browser.Cookies.GetCookies(browser.Address)[".AspNetCore.Cookies"]?.Value is { } ticket)
            {
                tickets.Add(ticket);
            }

            if (browser.SessionCookie is { } cookie)
            {
                cookies.Add(cookie);
                secrets.Add(browser.Secret);
            }
        }
    }

    [Fact]
    public async Task What_Redis_holds_of_a_secret_is_its_hash_alone()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");

        var stored = await site.Redis.StoredAsync(visitor.Handle);

        var hash = new byte[SecretHash.ByteLength];
        SecretHash.Of(visitor.Secret).CopyTo(hash);
        Assert.Equal(Base64Url.EncodeToString(hash), stored["@secret"]);
    }

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_cookie_that_this_application_did_not_issue_troubles_neither_Redis_nor_a_grain(string forgery)
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        using var forger = new Browser(site.Server.Address) { SessionCookie = Forged(visitor.SessionCookie!, forgery) };
        var activations = await ActivationsAsync(visitor);

        var scripts = await site.Redis.ScriptsOfAsync(async () => Assert.Equal("-", await forger.GetAsync("/get/user")));

        Assert.Empty(scripts);
        Assert.InRange(await ActivationsAsync(visitor), 0, activations);
        Assert.Equal("ann", await visitor.GetAsync("/get/user"));
    }

    [Fact]
    public async Task The_count_of_activations_sees_a_session_that_is_opened()
    {
        using var visitor = site.NewVisitor();
        var before = await ActivationsAsync(visitor);

        await visitor.GetAsync("/set/user/ann");

        await Until.TrueAsync(async () => await ActivationsAsync(visitor) > before, "the new session's activation is counted");
    }

    private static async Task<int> ActivationsAsync(Browser visitor) =>
        int.Parse(await visitor.GetAsync("/activations"), CultureInfo.InvariantCulture);

    private static string Forged(string cookie, string forgery)
    {
        Assert.Equal(CookieLength, cookie.Length);
        return forgery switch
        {
            "another format" => WithByteChanged(0),
            "another key" => WithByteChanged(2),
            "another lifetime" => WithByteChanged(13),
            "another handle" => WithByteChanged(20),
            "another secret" => WithByteChanged(40),
            "another code" => WithByteChanged(70),
            "truncated" => cookie[..^1],
            "over-long" => cookie + "A",
            "far over-long" => cookie + new string('A', 3000),
            "wrong alphabet" => "!" + cookie[1..],
            "padded" => cookie + "=",
            // The same cookie with a blank in front, which a lenient decoder would skip.
            "second spelling" => "%20" + cookie,
            _ => "",
        };

        string WithByteChanged(int at)
        {
            var bytes = Base64Url.DecodeFromChars(cookie);
            bytes[at] ^= 1;
            return Base64Url.EncodeToString(bytes);
        }
    }

    // Base64 without its last character, which also holds bits of what comes after the secret.
    internal static IEnumerable<string> Spellings(byte[] secret) =>
    [
        Convert.ToHexString(secret), Base64Url.EncodeToString(secret)[..^1], Convert.ToBase64String(secret)[..21],
        Encoding.Latin1.GetString(secret),
    ];

    private async Task<string> RedisContentsAsync()
    {
        var contents = new StringBuilder();
        var database = await site.Redis.DatabaseAsync();
        await foreach (var key in (await site.Redis.AdminAsync()).GetServer(site.Redis.Address).KeysAsync())
        {
            contents.AppendLine(key);
            foreach (var field in await database.HashGetAllAsync(key))
            {
                contents.AppendLine(Text(field.Name)).AppendLine(Text(field.Value));
            }
        }

        return contents.ToString();

        static string Text(byte[]? bytes) => Encoding.Latin1.GetString(bytes!);
    }
}
