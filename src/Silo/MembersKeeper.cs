using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Keeps the list of the cluster's silos, Orleans' membership table, through a loss of Redis' data: each silo remembers it as it saw it
/// last, and writes it back where Redis has none any more, or an older one. Without the list no silo may answer from memory, one that dies
/// is not missed, and one that is stopped waits for minutes to be rid of its entry.
/// </summary>
internal sealed class MembersKeeper(
    SiloEndpoint endpoint, RedisConnection connection, IServiceProvider services, TimeProvider time, ILogger<MembersKeeper> logger)
    : ILifecycleParticipant<ISiloLifecycle>
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

    private readonly CancellationTokenSource _stopping = new();
    private Task _keeping = Task.CompletedTask;
    private HashEntry[] _members = [];
    private long _version = -1;

    /// <summary>Where the list is.</summary>
    public static RedisKey KeyOf(SiloEndpoint endpoint) => $"{endpoint.KeyPrefix}@members:{endpoint.ClusterId}";

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(MembersKeeper), ServiceLifecycleStage.Active, StartAsync, StopAsync);

    private async Task StartAsync(CancellationToken cancellation)
    {
        if (services.UsesRedis())
        {
            // At once, while the silo's own entry is new: nobody else may have seen it yet.
            await LookAsync();
            _keeping = Task.Run(LookAgainAndAgainAsync, cancellation);
        }
    }

    private async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await Task.WhenAny(_keeping);
    }

    private async Task LookAgainAndAgainAsync()
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await LookAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task LookAsync()
    {
        try
        {
            await KeepAsync((await connection.GetAsync()).GetDatabase());
        }
        catch (Exception)
        {
            // Redis is out of reach, which others tell of. What it has lost meanwhile is seen when it is back.
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
