using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// What most tests here run against: one real Redis and two web servers, each a process with a silo of its own, in one cluster. Tests share
/// it and keep apart by their sessions.
/// </summary>
public sealed class Site : IAsyncLifetime
{
    public const string App = "SessionActors.TestApp";

    /// <summary>
    /// How a server is started whose commands are counted. Sessions stay in memory, so that no test's measurement has the hand-over of
    /// another test's session in it. A reply may be slow, so that on a busy machine no write is sent twice; and so may be the proof that
    /// reads may be answered from memory.
    /// </summary>
    internal static string[] MeasuredArguments(RedisServer redis) =>
        [
            $"--SessionActors:Redis={redis.Address},asyncTimeout=30000", "--SessionActors:CollectionAge=1.00:00:00",
            "--SessionActors:ServingLease=01:00:00",
        ];

    internal RedisServer Redis { get; private set; } = null!;

    public AppProcess First { get; private set; } = null!;

    public AppProcess Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        // One after the other: the second then finds the cluster instead of founding another.
        First = await StartServerAsync();
        Second = await StartServerAsync();
    }

    /// <summary>A new visitor, at the first server.</summary>
    public Browser NewVisitor() => new(First.Address);

    /// <summary>What Redis holds of a session, by field; empty where nothing is.</summary>
    internal Task<Dictionary<string, string>> StoredAsync(SessionHandle handle) => Redis.StoredAsync(handle);

    /// <inheritdoc cref="SiteRedis.ScriptsOfAsync"/>
    internal Task<string[]> ScriptsOfAsync(Func<Task> requests) => Redis.ScriptsOfAsync(requests);

    private Task<AppProcess> StartServerAsync() => AppProcess.StartAsync(App, MeasuredArguments(Redis));

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

/// <summary>What the tests ask the Redis of a site.</summary>
internal static class SiteRedis
{
    /// <summary>What Redis holds of a session, by field; empty where nothing is.</summary>
    public static async Task<Dictionary<string, string>> StoredAsync(this RedisServer redis, SessionHandle handle) =>
        (await (await redis.DatabaseAsync()).HashGetAllAsync(KeyOf(handle)))
            .ToDictionary(field => $"{field.Name}", field => $"{field.Value}");

    /// <summary>
    /// Which of our scripts Redis ran for these requests, such as <c>commit</c>, the latest first. Taken from Redis' log of slow commands,
    /// told to log all; Orleans' membership goes on meanwhile, with other commands.
    /// </summary>
    public static async Task<string[]> ScriptsOfAsync(this RedisServer redis, Func<Task> requests)
    {
        const int most = 100_000;
        var server = (await redis.AdminAsync()).GetServer(redis.Address);
        var names = await ScriptNamesAsync(server);
        await server.ConfigSetAsync("slowlog-max-len", most);
        await server.ConfigSetAsync("slowlog-log-slower-than", 0);
        await server.SlowlogResetAsync();

        await requests();

        var commands = await server.SlowlogGetAsync(most);
        return [.. commands.Select(command => NameOf(command.Arguments)).OfType<string>()];

        // A client's first use of a script sends its text (of which the log shows the beginning), the later ones its hash.
        string? NameOf(RedisValue[] command) => $"{command[0]}" switch
        {
            "EVALSHA" => names.GetValueOrDefault($"{command[1]}"),
            "EVAL" => names.GetValueOrDefault(BeginningOf($"{command[1]}")),
            _ => null,
        };
    }

    // By the hash that Redis knows a script by, and by its beginning.
    private static async Task<Dictionary<string, string>> ScriptNamesAsync(IServer server)
    {
        var names = new Dictionary<string, string>();
        var assembly = typeof(ISessionStorage).Assembly;
        foreach (var file in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".lua", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(file)!);
            var (script, name) = (await reader.ReadToEndAsync(), Path.GetFileNameWithoutExtension(file));
            names.Add(Convert.ToHexStringLower(await server.ScriptLoadAsync(script)), name);
            names.Add(BeginningOf(script), name);
        }

        return names;
    }

    private static string BeginningOf(string script) => script[..Math.Min(40, script.Length)];

    /// <summary>
    /// How many bytes Redis receives for a request. What comes in between by chance only adds to it, so the least of several tries counts,
    /// without the bytes of the looking.
    /// </summary>
    public static async Task<long> BytesOfAsync(this RedisServer redis, Func<int, Task> request)
    {
        var (least, leastOfNothing) = (long.MaxValue, long.MaxValue);
        for (var i = 0; i < 20; i++)
        {
            var before = await redis.UsageAsync();
            leastOfNothing = Math.Min(leastOfNothing, (await redis.UsageAsync()).Since(before).InputBytes);
            before = await redis.UsageAsync();
            await request(i);
            least = Math.Min(least, (await redis.UsageAsync()).Since(before).InputBytes);
        }

        return least - leastOfNothing;
    }

    public static string KeyOf(SessionHandle handle) => $"session:{handle}";
}

[CollectionDefinition(nameof(Site))]
public sealed class SiteCollection : ICollectionFixture<Site>;
