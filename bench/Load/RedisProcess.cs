using System.Globalization;
using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>A redis-server of the bench's own, and what it has been asked.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private const int MostTries = 500;
    private const int CopiesAtOnce = 10_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Child _child;
    private readonly ConnectionMultiplexer _connection;

    private RedisProcess(Child child, string address, ConnectionMultiplexer connection)
    {
        _child = child;
        Address = address;
        _connection = connection;
    }

    public string Address { get; }

    public TimeSpan ProcessorTime => _child.ProcessorTime;

    public static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        var port = Child.FreePort();
        var child = new Child(
            "redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. settings]);
        var address = $"127.0.0.1:{port}";
        for (var tries = 1; ; tries++)
        {
            try
            {
                return new RedisProcess(child, address, await ConnectionMultiplexer.ConnectAsync($"{address},allowAdmin=true"));
            }
            catch (RedisConnectionException) when (tries < MostTries)
            {
                child.ThrowIfOver();
                await Task.Delay(Pause, TimeProvider.System);
            }
        }
    }

    /// <summary>Starts a Redis Cluster of so many masters, each with its share of the slots.</summary>
    public static async Task<RedisProcess[]> StartClusterAsync(int masters)
    {
        var nodes = new List<RedisProcess>();
        try
        {
            while (nodes.Count < masters)
            {
                nodes.Add(await StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{Child.FreePort()}"));
            }

            using var forming = new Child("redis-cli", ["--cluster", "create", .. nodes.Select(node => node.Address), "--cluster-yes"]);
            await forming.FinishAsync();
            await Task.WhenAll(nodes.Select(node => node.UntilClusterIsWholeAsync()));
            return [.. nodes];
        }
        catch
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>How many keys it has.</summary>
    public Task<long> KeysAsync() => _connection.GetServer(Address).DatabaseSizeAsync();

    /// <summary>How many bytes it has for keys and values and all that goes with them.</summary>
    public async Task<long> UsedMemoryAsync()
    {
        var memory = await _connection.GetServer(Address).InfoAsync("memory");
        return Number(memory.SelectMany(section => section).Single(line => line.Key == "used_memory").Value);
    }

    /// <summary>Copies some session under so many other handles.</summary>
    public async Task CopySessionAsync(int copies)
    {
        var server = _connection.GetServer(Address);
        var session = await server.KeysAsync(pattern: "bench??:" + new string('?', 22)).FirstAsync();
        var prefix = session.ToString()[..^22];
        for (var first = 1; first <= copies; first += CopiesAtOnce)
        {
            await _connection.GetDatabase().ScriptEvaluateAsync(
                """
                local session, left = redis.call('DUMP', KEYS[1]), redis.call('PTTL', KEYS[1])
                for i = ARGV[2], ARGV[3] do
                  redis.call('RESTORE', ARGV[1] .. string.sub(redis.sha1hex(i), 1, 21) .. 'A', left, session)
                end
                """,
                [session], [prefix, first, Math.Min(first + CopiesAtOnce - 1, copies)]);
        }
    }

    /// <summary>What it was asked since it started.</summary>
    public async Task<RedisUsage> UsageAsync()
    {
        var sections = await _connection.GetServer(Address).InfoAsync("all");
        var lines = sections.SelectMany(section => section).ToList();
        var calls = lines.Where(line => line.Key.StartsWith("cmdstat_", StringComparison.Ordinal))
            .ToDictionary(line => line.Key["cmdstat_".Length..], line => Number(line.Value.Split('=', ',')[1]));
        return new RedisUsage(
            calls.GetValueOrDefault("evalsha") + calls.GetValueOrDefault("eval"),
            calls.Values.Sum(),
            calls.GetValueOrDefault("set"),
            Number(lines.Single(line => line.Key == "total_net_input_bytes").Value));
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        _child.Dispose();
    }

    // As it sees it itself, which is later than the one that formed it does.
    private async Task UntilClusterIsWholeAsync()
    {
        for (var tries = 1; ; tries++)
        {
            var state = (string)(await _connection.GetServer(Address).ExecuteAsync("CLUSTER", "INFO"))!;
            if (state.Contains("cluster_state:ok", StringComparison.Ordinal))
            {
                return;
            }

            if (tries == MostTries)
            {
                throw new TimeoutException($"The Redis Cluster is not whole for {Address}:\n{state}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>Script calls, all calls (Redis counts those that scripts make as well), those of SET, and bytes received.</summary>
internal readonly record struct RedisUsage(long Scripts, long Calls, long Sets, long InputBytes)
{
    public static RedisUsage operator -(RedisUsage later, RedisUsage earlier) =>
        new(later.Scripts - earlier.Scripts, later.Calls - earlier.Calls, later.Sets - earlier.Sets, later.InputBytes - earlier.InputBytes);
}
