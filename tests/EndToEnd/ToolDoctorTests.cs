using System.Text.Json;

namespace SessionActors;

/// <summary><c>sessionactors doctor</c>, at a Redis that is well and at some that are not.</summary>
public sealed class ToolDoctorTests
{
    private static readonly string[] Checks = ["reachable", "version", "eviction", "clock", "persistence", "scripts", "latency", "keys"];

    [Fact]
    public async Task A_Redis_that_is_fit_is_found_so()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { AppendOnly = true, Password = "open-sesame" });
        var database = await redis.DatabaseAsync();
        await database.StringSetAsync("session:@a", 1);
        await database.StringSetAsync("other:b", 1);

        var (exitCode, found) = await ExamineAsync("--redis", redis.ConnectionString);

        Assert.Equal(0, exitCode);
        Assert.Equal(Checks, found.Select(f => f.Check));
        // How fast it is, is the machine's affair.
        Assert.All(found.Where(f => f.Check != "latency"), f => Assert.Equal("ok", f.Level));
        Assert.StartsWith("1 keys", found[^1].Text, StringComparison.Ordinal);
        // Nothing of the checks is left.
        Assert.Equal(2, (await redis.AdminAsync()).GetServer(redis.Address).Keys().Count());
    }

    [Fact]
    public async Task A_Redis_that_evicts_sessions_is_an_error_with_its_mend_unless_that_is_accepted()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { EvictionPolicy = "allkeys-lru" });

        var (exitCode, found) = await ExamineAsync("--redis", redis.Address);
        Assert.Equal(1, exitCode);
        Assert.Equal(Checks, found.Select(f => f.Check));
        var eviction = Assert.Single(found, f => f.Level == "error");
        Assert.Equal("eviction", eviction.Check);
        Assert.Contains("maxmemory-policy allkeys-lru", eviction.Text, StringComparison.Ordinal);
        Assert.Contains("redis-cli CONFIG SET maxmemory-policy noeviction", eviction.Text, StringComparison.Ordinal);
        var persistence = Assert.Single(found, f => f.Check == "persistence");
        Assert.Equal("warning", persistence.Level);
        Assert.Contains("CONFIG SET appendonly yes", persistence.Text, StringComparison.Ordinal);

        var (_, table) = await AppProcess.RunAsync(ToolSite.Tool, "doctor", "--redis", redis.Address);
        Assert.Matches("error +eviction +Redis 127.0.0.1:", table);

        (exitCode, found) = await ExamineAsync(["SessionActors__AllowEviction=true"], "--redis", redis.Address);
        Assert.Equal(0, exitCode);
        Assert.Equal("warning", found.Single(f => f.Check == "eviction").Level);
    }

    [Fact]
    public async Task A_user_who_may_not_run_scripts_or_look_at_the_keys_is_told_what_to_allow()
    {
        await using var redis = await RedisServer.StartAsync();
        await (await redis.DatabaseAsync()).ExecuteAsync(
            "ACL", "SETUSER", "web", "on", ">open-sesame", "~session:*", "+@all", "-scan", "-evalsha");

        var (exitCode, found) = await ExamineAsync("--redis", $"{redis.Address},user=web,password=open-sesame");

        Assert.Equal(1, exitCode);
        var scripts = Assert.Single(found, f => f.Level == "error");
        Assert.Equal("scripts", scripts.Check);
        Assert.Contains("Allow EVAL, EVALSHA", scripts.Text, StringComparison.Ordinal);
        var keys = found.Single(f => f.Check == "keys");
        Assert.Equal("warning", keys.Level);
        Assert.Contains("scan", keys.Text, StringComparison.OrdinalIgnoreCase);
    }

    private static Task<(int ExitCode, Finding[] Found)> ExamineAsync(params string[] arguments) => ExamineAsync([], arguments);

    private static async Task<(int ExitCode, Finding[] Found)> ExamineAsync(string[] environment, params string[] arguments)
    {
        var (exitCode, output) = await AppProcess.RunWithAsync(environment, ToolSite.Tool, ["doctor", "--json", .. arguments]);
        Assert.DoesNotContain("open-sesame", output, StringComparison.Ordinal);
        return (exitCode, JsonSerializer.Deserialize<Finding[]>(output, JsonSerializerOptions.Web)!);
    }

    private sealed record Finding(string Check, string Level, string Text);
}
