using System.Globalization;
using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>A redis-server of the bench's own, and what it has been asked.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private const int MostTries = 100;
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

    public static async Task<RedisProcess> StartAsync()
    {
        var port = Child.FreePort();
        var child = new Child("redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no");
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

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>Script calls, all calls (Redis counts those that scripts make as well), those of SET, and bytes received.</summary>
internal readonly record struct RedisUsage(long Scripts, long Calls, long Sets, long InputBytes)
{
    public static RedisUsage operator -(RedisUsage later, RedisUsage earlier) =>
        new(later.Scripts - earlier.Scripts, later.Calls - earlier.Calls, later.Sets - earlier.Sets, later.InputBytes - earlier.InputBytes);
}
