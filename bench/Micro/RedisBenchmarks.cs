using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Options;

namespace SessionActors.MicroBench;

/// <summary>The same over a real redis-server on this machine.</summary>
public class RedisBenchmarks
{
    private RedisServer _redis = null!;
    private RedisConnection _connection = null!;
    private SessionInSilo _session = null!;

    [GlobalSetup]
    public async Task StartAsync()
    {
        _redis = await RedisServer.StartAsync();
        var options = Options.Create(new SessionActorsOptions { Redis = _redis.Address });
        _connection = new RedisConnection(options);
        _session = await SessionInSilo.StartAsync(new RedisSessionStorage(_connection, options));
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _session.DisposeAsync();
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Benchmark(Description = "commit through the grain, Redis")]
    public Task<long> CommitAsync() => _session.CommitAsync();
}
