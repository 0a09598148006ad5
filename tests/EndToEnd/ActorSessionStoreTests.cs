using System.Net;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace SessionActors;

/// <summary>An application keeps ASP.NET Core's own session middleware and cookie, and its sessions are in grains.</summary>
public sealed class ActorSessionStoreTests(ActorSessionStoreTests.Servers servers) : IClassFixture<ActorSessionStoreTests.Servers>
{
    [Fact]
    public async Task Two_hundred_parallel_requests_at_two_servers_that_set_distinct_properties_all_keep_theirs()
    {
        using var first = servers.NewVisitor();
        await first.GetAsync("/set/start/1");
        using var second = first.At(servers.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? first : second).GetAsync($"/set/p{i}/x")));

        Assert.Equal(201, (await first.GetAsync("/keys")).Split(' ').Length);
    }

    [Fact]
    public async Task The_standard_extension_methods_and_Remove_and_Clear_do_what_they_did()
    {
        using var visitor = servers.NewVisitor();
        await visitor.GetAsync("/set/name/ann");
        await visitor.GetAsync("/set-number/visits/41");

        Assert.Equal("ann", await visitor.GetAsync("/get/name"));
        Assert.Equal("41", await visitor.GetAsync("/number/visits"));
        await visitor.GetAsync("/remove/name");
        Assert.Equal("visits", await visitor.GetAsync("/keys"));
        await visitor.GetAsync("/clear");
        Assert.Equal("", await visitor.GetAsync("/keys"));
    }

    [Fact]
    public async Task Reading_at_either_server_costs_no_Redis_command_and_a_request_that_does_not_look_none_either()
    {
        using var first = servers.NewVisitor();
        await first.GetAsync("/set/a/x");
        using var second = first.At(servers.Second.Address);

        var scripts = await servers.Redis.ScriptsOfAsync(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                Assert.Equal("x", await first.GetAsync("/get/a"));
                Assert.Equal("x", await second.GetAsync("/get/a"));
                await second.GetAsync("/load");
                await second.GetAsync("/not-looked-at");
            }
        });

        Assert.Empty(scripts);
    }

    [Fact]
    public async Task Only_what_changed_is_written_and_setting_what_is_there_is_no_change()
    {
        using var visitor = servers.NewVisitor();
        await visitor.GetAsync($"/set/large/{new string('x', 4000)}");
        await visitor.GetAsync("/set/a/0");

        var bytes = await servers.Redis.BytesOfAsync(i => visitor.GetAsync($"/set/a/{i + 1}"));
        var scripts = await servers.Redis.ScriptsOfAsync(() => visitor.GetAsync("/set/a/20"));

        Assert.InRange(bytes, 1, 1000);
        Assert.Empty(scripts);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("garbage")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_visitor_who_only_reads_and_a_made_up_cookie_cost_no_command_and_nothing_is_stored(string? cookie)
    {
        using var visitor = new Browser(servers.First.Address);
        if (cookie is not null)
        {
            visitor.SessionCookie = cookie;
        }

        var scripts = await servers.Redis.ScriptsOfAsync(async () =>
        {
            Assert.Equal("-", await visitor.GetAsync("/get/a"));
            await visitor.GetAsync("/remove/a");
            await visitor.GetAsync("/clear");
        });

        Assert.Empty(scripts);
        Assert.Equal(cookie, visitor.SessionCookie);
        await visitor.GetAsync("/set/a/x");
        Assert.Equal("x", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task The_key_is_neither_in_Redis_nor_in_the_logs_and_the_id_is_a_handle_that_services_end_the_session_by()
    {
        using var visitor = servers.NewVisitor();
        await visitor.GetAsync("/set/name/ann");
        var id = await visitor.GetAsync("/id");
        var late = await visitor.HoldAsync("set", "late", "x");
        var refused = await visitor.HoldAsync("commit", "late", "x");
        Assert.Equal("ann", (await servers.Redis.StoredAsync(SessionHandle.Parse(id)))["name"]);

        await visitor.GetAsync("/end");

        Assert.Equal("-", await visitor.GetAsync("/get/name"));
        // Begun before the end: dropped, also where another session has begun under the same cookie.
        await visitor.GetAsync("/set/name/bob");
        (await late.LetGoAsync()).Dispose();
        using var answer = await refused.LetGoAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("name", await visitor.GetAsync("/keys"));
        Assert.Equal("bob", await visitor.GetAsync("/get/name"));
        Assert.NotEqual(id, await visitor.GetAsync("/id"));
        Assert.Equal(["@ended"], (await servers.Redis.StoredAsync(SessionHandle.Parse(id))).Keys);
        var key = servers.KeyOf(visitor.SessionCookie!);
        Assert.DoesNotContain(key, await servers.AllStoredAsync(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(key, servers.First.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Twenty_requests_at_once_after_the_end_begin_one_session_and_lose_nothing()
    {
        using var first = servers.NewVisitor();
        await first.GetAsync("/set/name/ann");
        using var second = first.At(servers.Second.Address);
        await first.GetAsync("/end");

        var held = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? first : second).HoldAsync("set", $"p{i}", "x")));
        await Task.WhenAll(held.Select(one => one.LetGoAsync()));

        Assert.Equal(20, (await first.GetAsync("/keys")).Split(' ').Length);
        Assert.Equal(await first.GetAsync("/id"), await second.GetAsync("/id"));
    }

    [Fact]
    public async Task A_session_that_runs_out_begins_empty_under_the_same_cookie_and_what_was_under_way_does_not_come_back()
    {
        using var visitor = servers.NewVisitor();
        await visitor.GetAsync("/set/name/ann");
        var cookie = visitor.SessionCookie;
        var handle = SessionHandle.Parse(await visitor.GetAsync("/id"));
        Assert.Equal("420000", (await servers.Redis.StoredAsync(handle))["@ttl"]);
        var late = await visitor.HoldAsync("set", "late", "x");
        await visitor.GetAsync("/hurry/1");
        await Until.TrueAsync(async () => (await servers.Redis.StoredAsync(handle)).Count == 0, "it has run out");

        Assert.Equal("-", await visitor.GetAsync("/get/name"));
        await visitor.GetAsync("/set/more/y");
        (await late.LetGoAsync()).Dispose();

        Assert.Equal("more", await visitor.GetAsync("/keys"));
        Assert.Equal(cookie, visitor.SessionCookie);
        Assert.NotEqual(handle.ToString(), await visitor.GetAsync("/id"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_Redis_is_dead_a_session_is_not_available_and_afterwards_everything_is_there(bool looksSynchronously)
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { AppendOnly = true });
        await using var app = await servers.StartOnAsync(
            redis, "--OldIOSeconds=1", "--StoreLast=true", $"--LooksSynchronously={looksSynchronously}",
            "--SessionActors:ServingLease=00:00:00.5");
        using var here = new Browser(app.Address);
        await here.GetAsync("/set/name/ann");
        redis.Kill();

        await Until.TrueAsync(async () => await here.GetAsync("/available") == "False", "it is noticed");
        await here.GetAsync("/set/name/eve");
        using (var answer = await here.TryGetAsync("/load"))
        {
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        }

        await Until.TrueAsync(() => app.Output.Contains($"[{WebLog.OpeningFailedId}]", StringComparison.Ordinal), "it is logged");
        await redis.RestartAsync();
        await Until.TrueAsync(async () => await here.GetAsync("/get/name") == "ann", "the session is there");
    }

    [Fact]
    public async Task Without_a_silo_and_a_client_the_start_says_what_is_missing()
    {
        var (code, output) = await servers.RunAsync("--WithoutSilo=true");

        Assert.NotEqual(0, code);
        Assert.Contains("AddActorSessionStore finds no IGrainFactory", output, StringComparison.Ordinal);
    }

    /// <summary>Two servers on one Redis, with the keys of Data Protection in one folder.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        private readonly TempFolder _keys = new();

        internal RedisServer Redis { get; private set; } = null!;

        public AppProcess First { get; private set; } = null!;

        public AppProcess Second { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Redis = await RedisServer.StartAsync();
            // One after the other: the second then finds the cluster instead of founding another.
            First = await StartAsync();
            Second = await StartAsync();
        }

        public Browser NewVisitor() => new(First.Address);

        internal Task<AppProcess> StartAsync(params string[] arguments) => StartOnAsync(Redis, arguments);

        internal Task<AppProcess> StartOnAsync(RedisServer redis, params string[] arguments) =>
            AppProcess.StartAsync(Site.App, [.. Own(), .. Site.MeasuredArguments(redis), .. arguments]);

        internal Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
            AppProcess.RunAsync(Site.App, [.. Own(), "--urls=http://127.0.0.1:0", .. arguments]);

        public async ValueTask DisposeAsync()
        {
            await First.DisposeAsync();
            await Second.DisposeAsync();
            await Redis.DisposeAsync();
            _keys.Dispose();
        }

        private string[] Own() => ["--OnStore=true", $"--OldKeys={_keys.Path}", "--Logging:LogLevel:SessionActors=Trace"];

        // Names and values.
        internal async Task<string> AllStoredAsync()
        {
            var database = await Redis.DatabaseAsync();
            var keys = (await Redis.AdminAsync()).GetServer(Redis.Address).Keys(pattern: "session:*").ToArray();
            var hashes = await Task.WhenAll(keys.Where(key => !$"{key}".Contains('@')).Select(key => database.HashGetAllAsync(key)));
            return string.Join('\n', [.. keys.Select(key => $"{key}"), .. hashes.SelectMany(hash => hash).Select(field => $"{field}")]);
        }

        // As the middleware reads it.
        internal string KeyOf(string cookie)
        {
            var protector = DataProtectionProvider
                .Create(new DirectoryInfo(_keys.Path), builder => builder.SetApplicationName("shop"))
                .CreateProtector("SessionMiddleware");
            var text = WebUtility.UrlDecode(cookie);
            return Encoding.UTF8.GetString(
                protector.Unprotect(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='))));
        }
    }
}
