using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Asks a Redis for a sign of life, for its run and replication ids, of which a restart or a failover changes one at least, for an owner's
/// warning and for what was announced of users. One command; two where it does not tell its ids. Of a Redis Cluster every master is asked
/// for a sign of life besides: a session's own master is one of them, and their ids change one by one.
/// </summary>
internal sealed class RedisProbe(RedisConnection connection, RedisClock clock)
{
    // The client keeps INFO itself for connections in its admin mode, which the application's own need not be in.
    private const string Ids =
        """
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
        local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
        local time = redis.call('TIME')
        return {
          run and replication and run .. '/' .. replication or '', time[1] * 1000 + math.floor(time[2] / 1000),
          redis.call('HMGET', KEYS[1], '@last')[1], redis.call('HGETALL', KEYS[2])
        }
        """;

    // Until told otherwise: what one user may run does not change under way, as a rule.
    private volatile bool _tellsIds = true;

    /// <param name="warning">The key of the owner's warning.</param>
    /// <param name="marks">The key of what was announced.</param>
    public async Task<StoreProbe> AskAsync(RedisKey warning, RedisKey marks)
    {
        try
        {
            return await AskAsync(await connection.GetAsync(), warning, marks);
        }
        catch (Exception error)
        {
            return new StoreProbe(error);
        }
    }

    private async Task<StoreProbe> AskAsync(IConnectionMultiplexer redis, RedisKey warning, RedisKey marks)
    {
        var database = redis.GetDatabase();
        var nodes = redis.GetServers().Where(server => server.ServerType == ServerType.Cluster).ToList();
        if (nodes.Count > 0)
        {
            await Task.WhenAll(MastersOf(nodes).Select(master => master.PingAsync()));
            return await WithoutIdsAsync();
        }

        if (_tellsIds)
        {
            try
            {
                var told = (RedisResult[])(await database.ExecuteAsync("EVAL", [Ids, 2, warning, marks], CommandFlags.DemandMaster))!;
                // After a failover another machine's clock counts.
                clock.Learn((long)told[1]);
                if ((string)told[0]! is { Length: > 0 } ids)
                {
                    return new StoreProbe(null, new StoreIdentity(ids), (string?)told[2], Marks((RedisResult[])told[3]!));
                }

                _tellsIds = false;
            }
            catch (RedisServerException refusal) when (refusal.Message.Contains("INFO", StringComparison.OrdinalIgnoreCase)
                || refusal.Message.StartsWith("NOPERM", StringComparison.Ordinal))
            {
                _tellsIds = false;
            }
        }

        return await WithoutIdsAsync();

        async Task<StoreProbe> WithoutIdsAsync()
        {
            var (last, announced) = (
                database.HashGetAsync(warning, ["@last"], CommandFlags.DemandMaster),
                database.HashGetAllAsync(marks, CommandFlags.DemandMaster));
            var parts = (await announced).ToDictionary(part => (int)part.Name, part => (string)part.Value!);
            return new StoreProbe(null, Warning: (await last)[0], Marks: parts);
        }
    }

    private static Dictionary<int, string> Marks(RedisResult[] fields) =>
        fields.Chunk(2).ToDictionary(field => (int)field[0], field => (string)field[1]!);

    // The client never forgets a master that has died, though another one has its slots, or it has left the cluster. Its view of that is as
    // old as it last asked each node, so what one of them says counts.
    private static IEnumerable<IServer> MastersOf(List<IServer> nodes)
    {
        var views = nodes.Where(node => node.IsConnected).Select(node => node.ClusterConfiguration).OfType<ClusterConfiguration>().ToList();
        return nodes.Where(node => !node.IsReplica
            && (node.IsConnected || views.TrueForAll(view => view[node.EndPoint] is { Slots.Count: > 0 })));
    }
}
