using System.Buffers.Text;
using System.Text.Json;

namespace SessionActors;

/// <summary>The command <c>sessionactors</c>, run as its users run it.</summary>
public sealed class ToolTests(ToolSite site) : IClassFixture<ToolSite>
{
    private const string Nobody = "-hAAAAAAAAAAAAAAAAAAAA";

    /// <summary>All that looks for somebody who is not there.</summary>
    public static TheoryData<string> Askers =>
    [
        $"show {Nobody}", $"show {Nobody} --direct", "list --user ann", $"end {Nobody}", "end --user ann", "count", "doctor",
    ];

    [Theory]
    [InlineData("")]
    [InlineData("--direct")]
    public async Task A_session_is_shown_without_its_values(string direct)
    {
        using var visitor = await site.SignedInAsync("ann");
        await visitor.SetAsync("cart", "green tea"u8.ToArray());

        var shown = await site.JsonAsync($"show {visitor.Handle} {direct}");

        Assert.Equal(visitor.Handle.ToString(), shown.GetProperty("handle").GetString());
        Assert.Equal(await visitor.GetAsync("/version"), $"{shown.GetProperty("version").GetInt64()}");
        Assert.Equal("ann", shown.GetProperty("user").GetString());
        Assert.Equal(2, shown.GetProperty("generation").GetInt32());
        var property = shown.GetProperty("properties").EnumerateArray().Single(p => p.GetProperty("name").GetString() == "cart");
        Assert.Equal(9, property.GetProperty("bytes").GetInt32());
        Assert.False(property.TryGetProperty("value", out _));
        var (exitCode, table) = await site.RunAsync($"show {visitor.Handle} {direct}");
        Assert.Equal(0, exitCode);
        Assert.Matches(@"cart +9", table);
        Assert.DoesNotContain("green tea", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--direct")]
    public async Task Values_are_shown_where_they_are_asked_for(string direct)
    {
        using var visitor = site.NewVisitor();
        await visitor.SetAsync("bytes", [0xff, 0, 1]);
        await visitor.SetAsync("text", "green tea"u8.ToArray());
        await visitor.SetAsync("number", [0, 0, 1, 0]);
        await visitor.SetAsync("@odd\u001b[2J", "\u001b[31m"u8.ToArray());

        var shown = (await site.JsonAsync($"show {visitor.Handle} --values {direct}")).GetProperty("properties").EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!);
        Assert.Equal([0xff, 0, 1], shown["bytes"].GetProperty("value").GetBytesFromBase64());
        Assert.False(shown["bytes"].TryGetProperty("text", out _));
        Assert.Equal("green tea", shown["text"].GetProperty("text").GetString());
        Assert.Contains("@odd\u001b[2J", shown.Keys);

        var (_, table) = await site.RunAsync($"show {visitor.Handle} --values {direct}");
        Assert.Matches("bytes +3 +0xFF0001", table);
        Assert.Matches("text +9 +\"green tea\"", table);
        Assert.Matches("number +4 +256", table);
        Assert.Matches("""@odd\\u001b\[2J +5 +0x1B5B33316D""", table);
        Assert.DoesNotContain('\u001b', table);
    }

    [Fact]
    public async Task A_session_that_has_ended_is_not_there_and_Redis_says_why()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/1");
        var handle = visitor.Handle;

        Assert.Equal(handle.ToString(), (await site.JsonAsync($"end {handle}")).GetProperty("ended").GetString());

        Assert.Equal("-", await visitor.GetAsync("/get/a"));
        foreach (var (asked, said) in new[]
        {
            ($"show {handle}", "There is no session"), ($"show {handle} --direct", "has ended: destroyed"),
            ($"show {Nobody} --direct", "There is no session"), ($"end {handle}", "There is no session"),
            ($"end --user ann --but {handle}", "There is no session"),
        })
        {
            var (exitCode, output) = await site.RunAsync(asked);
            Assert.Equal(1, exitCode);
            Assert.Contains(said, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_sessions_of_a_user_are_listed_and_ended()
    {
        // An id that other programs would take for a file of arguments.
        const string user = "@bob";
        using var phone = await site.SignedInAsync(user);
        using var laptop = await site.SignedInAsync(user);
        using var tablet = await site.SignedInAsync(user);
        using var other = await site.SignedInAsync("carol");

        var listed = await site.JsonAsync($"list --user {user}");
        Assert.Equal(
            new[] { phone, laptop, tablet }.Select(b => b.Handle.ToString()).Order(StringComparer.Ordinal),
            listed.EnumerateArray().Select(s => s.GetProperty("handle").GetString()!).Order(StringComparer.Ordinal));
        Assert.All(listed.EnumerateArray(), s => Assert.Equal("127.0.0.1", s.GetProperty("address").GetString()));
        var (_, table) = await site.RunAsync($"list --user {user}");
        Assert.Contains(phone.Handle.ToString(), table, StringComparison.Ordinal);

        var (exitCode, refusal) = await site.RunAsync($"end --user {user} --but {other.Handle}");
        Assert.Equal(1, exitCode);
        Assert.Contains("Nothing was ended", refusal, StringComparison.Ordinal);
        Assert.Equal(3, (await site.JsonAsync($"list --user {user}")).GetArrayLength());

        await site.JsonAsync($"end {tablet.Handle}");
        Assert.Equal("-", await tablet.GetAsync("/get/user"));
        await site.JsonAsync($"end --user {user} --but {laptop.Handle}");
        await Until.TrueAsync(async () => await phone.GetAsync("/get/user") == "-", "the other session has ended");
        Assert.Equal(user, await laptop.GetAsync("/get/user"));

        await site.JsonAsync($"end --user {user}");
        await Until.TrueAsync(async () => await laptop.GetAsync("/get/user") == "-", "the last session has ended");
        Assert.Equal(0, (await site.JsonAsync($"list --user {user}")).GetArrayLength());
        Assert.Equal("carol", await other.GetAsync("/get/user"));
    }

    [Fact]
    public async Task Live_sessions_are_counted_and_nothing_else()
    {
        var before = (await site.JsonAsync("count")).GetProperty("sessions").GetInt64();
        using var visitor = site.NewVisitor();
        using var gone = site.NewVisitor();
        using var signedIn = await site.SignedInAsync("dave");
        await visitor.GetAsync("/set/a/1");
        await gone.GetAsync("/set/a/1");
        await gone.GetAsync("/destroy");
        var keys = (await site.Redis.AdminAsync()).GetServer(site.Redis.Address).Keys(pattern: "tool:*").Count();
        Assert.InRange(keys, before + 4, long.MaxValue);

        Assert.Equal(before + 2, (await site.JsonAsync("count")).GetProperty("sessions").GetInt64());
    }

    [Fact]
    public async Task What_the_servers_have_in_their_environment_is_the_default()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/1");

        var (exitCode, output) = await AppProcess.RunWithAsync(
            [$"SessionActors__Redis={site.Redis.Address}", "SessionActors__KeyPrefix=tool:", "SessionActors__ClusterId=tools"],
            ToolSite.Tool, "show", visitor.Handle, "--json");

        Assert.Equal(0, exitCode);
        Assert.Equal(visitor.Handle.ToString(), JsonElement.Parse(output).GetProperty("handle").GetString());
    }

    [Fact]
    public async Task Sessions_in_the_embedded_store_are_reached_through_the_gateway()
    {
        var gateway = RedisServer.FreePort();
        await using var app = await AppProcess.StartAsync(
            Site.App, "--SessionActors:DataFolder=:memory:", $"--SessionActors:GatewayPort={gateway}");
        using var visitor = new Browser(app.Address);
        await visitor.GetAsync("/set/a/1");

        // The environment's Redis does not count then.
        var (exitCode, output) = await AppProcess.RunWithAsync(
            [$"SessionActors__Redis={site.Redis.Address}"],
            ToolSite.Tool, "show", visitor.Handle, "--json", "--gateway", $"localhost:{gateway}");

        Assert.Equal(0, exitCode);
        Assert.Equal(visitor.Handle.ToString(), JsonElement.Parse(output).GetProperty("handle").GetString());
    }

    [Theory]
    [MemberData(nameof(Askers))]
    public async Task A_Redis_that_is_not_there_is_named_without_its_password(string asked)
    {
        var address = $"127.0.0.1:{RedisServer.FreePort()}";

        var (exitCode, output) = await AppProcess.RunAsync(
            ToolSite.Tool, [.. asked.Split(' '), "--redis", $"{address},password=open-sesame"]);

        Assert.Equal(3, exitCode);
        Assert.Contains(address, output, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--cluster=nobodys", "No silo of cluster 'nobodys' through Redis 127.0.0.1:")]
    [InlineData("--gateway=127.0.0.1:1", "No silo at 127.0.0.1:1 answers")]
    public async Task A_cluster_that_is_not_there_is_named(string place, string said)
    {
        string[] redis = place.StartsWith("--cluster", StringComparison.Ordinal) ? ["--redis", site.Redis.Address] : [];

        var (exitCode, output) = await AppProcess.RunAsync(ToolSite.Tool, ["show", Nobody, place, .. redis]);

        Assert.Equal(3, exitCode);
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Required command")]
    [InlineData("dance", "dance")]
    [InlineData("show", "Required argument")]
    [InlineData("show nonsense", "'nonsense' is no session handle")]
    [InlineData("list", "--user")]
    [InlineData("list --user=", "Required argument")]
    [InlineData("end", "a handle, or --user")]
    [InlineData($"end {Nobody} --user ann", "a handle, or --user")]
    [InlineData($"end {Nobody} --but {Nobody}", "--but goes with --user")]
    [InlineData("count --speed=9", "--speed=9")]
    [InlineData("count --redis=", "Required argument")]
    [InlineData("count --redis=password=open-sesame", "SessionActors:Redis names no server")]
    [InlineData("count --redis=127.0.0.1:1,speed=9", "cannot be read")]
    [InlineData("count --redis=127.0.0.1:1 --prefix=@", "SessionActors:KeyPrefix = '@'")]
    [InlineData("count --redis=127.0.0.1:1 --cluster=", "--cluster")]
    [InlineData("count --redis=127.0.0.1:1 --gateway=127.0.0.1:1", "either with --redis")]
    [InlineData("count", "either with --redis")]
    [InlineData("count --gateway=127.0.0.1:1", "needs --redis")]
    [InlineData($"show {Nobody} --direct --gateway=127.0.0.1:1", "needs --redis")]
    [InlineData($"show {Nobody} --gateway=nowhere", "--gateway nowhere is no host and port")]
    public async Task Wrong_usage_is_told(string asked, string said)
    {
        var (exitCode, output) = await AppProcess.RunAsync(ToolSite.Tool, asked.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, exitCode);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_holds_what_opens_a_session_or_its_hash()
    {
        using var visitor = await site.SignedInAsync("eve");
        await visitor.GetAsync("/set/a/1");
        var hash = new byte[SecretHash.ByteLength];
        SecretHash.Of(visitor.Secret).CopyTo(hash);
        var secrets = new[] { visitor.Secret, hash }.SelectMany(
            bytes => new[] { Base64Url.EncodeToString(bytes), Convert.ToBase64String(bytes), Convert.ToHexString(bytes) });
        // What is looked for is there to be found.
        var stored = await (await site.Redis.DatabaseAsync()).HashGetAsync($"tool:{visitor.Handle}", "@secret");
        Assert.Equal(Base64Url.EncodeToString(hash), $"{stored}");

        foreach (var asked in new[]
        {
            $"show {visitor.Handle} --values", $"show {visitor.Handle} --values --direct", "list --user eve", "count", "doctor",
            $"end --user eve --but {visitor.Handle}", $"end {visitor.Handle}", $"show {visitor.Handle} --direct",
        })
        {
            foreach (var form in new[] { asked, $"{asked} --json" })
            {
                var (_, output) = await site.RunAsync(form);
                Assert.DoesNotContain(secrets, secret => output.Contains(secret, StringComparison.OrdinalIgnoreCase));
                Assert.DoesNotContain(visitor.SessionCookie!, output, StringComparison.Ordinal);
            }
        }
    }
}

/// <summary>One server and its Redis, under a prefix and in a cluster that nobody has by default.</summary>
public sealed class ToolSite : IAsyncLifetime
{
    public const string Tool = "SessionActors.Tool";

    private AppProcess _server = null!;

    internal RedisServer Redis { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        _server = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={Redis.Address}", "--SessionActors:KeyPrefix=tool:", "--SessionActors:ClusterId=tools");
    }

    public Browser NewVisitor() => new(_server.Address);

    /// <summary>A visitor who has signed in, with the user's id in the session besides.</summary>
    public async Task<Browser> SignedInAsync(string user)
    {
        var visitor = NewVisitor();
        await visitor.GetAsync($"/set/user/{user}");
        await visitor.GetAsync($"/sign-in/{user}");
        return visitor;
    }

    /// <summary>Runs the tool against this site.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(string asked) => AppProcess.RunAsync(
        Tool,
        [.. asked.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--redis", Redis.Address, "--prefix", "tool:", "--cluster", "tools"]);

    /// <summary>The same with an answer for scripts.</summary>
    public async Task<JsonElement> JsonAsync(string asked)
    {
        var (exitCode, output) = await RunAsync($"{asked} --json");
        return exitCode == 0 ? JsonElement.Parse(output) : throw new InvalidOperationException($"{asked} ended with {exitCode}: {output}");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
