using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Keeps the list of the cluster's silos, Orleans' membership table, through a loss of Redis' data: each silo remembers it as it saw it
/// last, and writes it back where Redis has none any more, or an older one. Without the list no silo may answer from memory, one that dies
/// is not missed, and one that is stopped waits for minutes to be rid of its entry.
/// </summary>
internal sealed class MembersKeeper(
    SiloEndpoint endpoint, IServiceProvider services, TimeProvider time, ILogger<MembersKeeper> logger) : BackgroundService
{
    // Well within a serving lease, which a silo loses when it finds no list.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private const string Version = "Version";

    // The version grows with each change of the list, so an older one is what a failover or a cut log has left. An entry that is not known
    // here is a new silo's, which found no list.
    private const string WriteBack =
        """
        local has = redis.call('HGET', KEYS[1], 'Version')
        if has and tonumber(has) >= tonumber(ARGV[1]) then
          return 0
        end
        redis.call('HSET', KEYS[1], 'Version', unpack(ARGV))
        return 1
        """;

    private HashEntry[] _members = [];
    private long _version = -1;

    /// <summary>Where the list is.</summary>
    public static RedisKey KeyOf(SiloEndpoint endpoint) => $"{endpoint.KeyPrefix}@members:{endpoint.ClusterId}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (services.UsesRedis() && await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await KeepAsync((await services.GetRequiredService<RedisConnection>().GetAsync()).GetDatabase());
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Redis is out of reach, which others tell of. What it has lost meanwhile is seen when it is back.
            }
        }
    }

    private async Task KeepAsync(IDatabase redis)
    {
        var key = KeyOf(endpoint);
        var members = await redis.HashGetAllAsync(key, CommandFlags.DemandMaster);
        var version = (long?)Array.Find(members, field => field.Name == Version).Value ?? -1;
        if (version >= _version)
        {
            (_members, _version) = (members, version);
            return;
        }

        RedisValue[] entries = [.. _members.Where(field => field.Name != Version).SelectMany(field => new[] { field.Name, field.Value })];
        if ((int)await redis.ScriptEvaluateAsync(WriteBack, [key], [_version, .. entries], CommandFlags.DemandMaster) == 1)
        {
            SiloLog.MembersWrittenBack(logger, entries.Length / 2, _version, version);
        }
    }
}
