using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Whether a Redis, or what passes itself off as one, is fit: it answers, it is new enough, its scripts lose no update when several
/// connections run them, this user may run every command of the sessions' own, and it does not drop live sessions to make room.
/// </summary>
internal sealed class RedisStoreCheck(
    RedisConnection connection, IOptions<SessionActorsOptions> options, TimeProvider time, ILogger<RedisStoreCheck> logger) : StoreCheck
{
    private const int Connections = 4;
    private const int ScriptsPerConnection = 100;

    // The read and the write are two commands on purpose: a server whose scripts interleave loses some of these counts.
    private const string CountUp =
        """
        local count = (redis.call('HMGET', KEYS[1], 'count')[1] or 0) + 1
        redis.call('HSET', KEYS[1], 'count', count)
        redis.call('PEXPIRE', KEYS[1], 60000)
        return count
        """;

    // The client keeps INFO itself for connections in its admin mode, which the application's own need not be in.
    private const string Info = "return redis.call('INFO', ARGV[1])";

    private static readonly Version LeastVersion = new(6, 0);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private string? _store;

    /// <inheritdoc/>
    public override string Store => _store ??= "Redis " + (options.Value.Redis is { } configured
        ? Addresses(ConfigurationOptions.Parse(configured).EndPoints)
        : "of the application's own connection");

    /// <inheritdoc/>
    public override async Task CheckAsync(CancellationToken cancellation)
    {
        var redis = await ReachAsync(cancellation);
        foreach (var server in Masters(redis))
        {
            await CheckVersionAsync(server);
            await CheckEvictionAsync(server);
        }

        await CheckScriptsAsync(redis, cancellation);
    }

    /// <summary>The servers that write: each of them has to be fit.</summary>
    public static IEnumerable<IServer> Masters(IConnectionMultiplexer redis) =>
        redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false });

    private static string Addresses(IEnumerable<System.Net.EndPoint> endPoints) =>
        string.Join(", ", endPoints.Select(e => EndPointCollection.ToString(e)));

    public static string Named(IServer server) => "Redis " + EndPointCollection.ToString(server.EndPoint);

    /// <summary>The connection, once it has answered.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public async Task<IConnectionMultiplexer> ReachAsync(CancellationToken cancellation)
    {
        try
        {
            // Given up by the client itself, which takes its own time-outs, several in a row, to know why: a password, for one.
            var redis = await connection.GetAsync().WaitAsync(cancellation);
            await redis.GetDatabase().PingAsync().WaitAsync(Patience, time, cancellation);
            _store = "Redis " + Addresses(redis.GetEndPoints(configuredOnly: true));
            return redis;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new InvalidOperationException(
                $"{Store} cannot be reached: {e.Message} Start it, or mend the address, user, password and TLS settings in "
                + (options.Value.Redis is null ? "the IConnectionMultiplexer in the container" : "SessionActors:Redis") + ".", e);
        }
    }

    /// <summary>Checks the version and returns it; null where the server does not tell.</summary>
    /// <exception cref="InvalidOperationException">It is too old.</exception>
    public async Task<string?> CheckVersionAsync(IServer server)
    {
        var told = await InfoAsync(server, "server", "redis_version", $"it is {LeastVersion} or newer");
        if (Version.TryParse(told, out var version) && version < LeastVersion)
        {
            throw new InvalidOperationException(
                $"{Named(server)} has version {version}; SessionActors needs {LeastVersion} or newer. Update it.");
        }

        return told;
    }

    /// <summary>Checks what the server drops when its memory is full, and returns it; null where the server does not tell.</summary>
    /// <exception cref="InvalidOperationException">It drops sessions, and nobody has accepted that.</exception>
    public async Task<string?> CheckEvictionAsync(IServer server)
    {
        // CONFIG GET would say it too, but managed services block it.
        var policy = await InfoAsync(server, "memory", "maxmemory_policy", "it is noeviction");
        if (policy is null or "noeviction")
        {
            return policy;
        }

        if (options.Value.AllowEviction)
        {
            StoreLog.Evicts(logger, Named(server), policy);
            return policy;
        }

        throw new InvalidOperationException(
            $"{Named(server)} has maxmemory-policy {policy}, which drops live sessions when its memory is full. "
            + "Set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf), or accept the loss with "
            + "SessionActors:AllowEviction=true.");
    }

    /// <summary>One line of what the server tells of itself; null, and a warning in the log, where it does not.</summary>
    /// <param name="server">The server.</param>
    /// <param name="section">The section of <c>INFO</c>.</param>
    /// <param name="key">The line in it.</param>
    /// <param name="rule">What nobody has checked without it.</param>
    public async Task<string?> InfoAsync(IServer server, string section, string key, string rule)
    {
        Exception? error = null;
        try
        {
            var told = (string?)await server.ExecuteAsync("EVAL", Info, 0, section) ?? "";
            var line = told.Split('\n').FirstOrDefault(line => line.StartsWith(key + ':', StringComparison.Ordinal));
            if (line is not null)
            {
                return line[(key.Length + 1)..].Trim();
            }
        }
        catch (RedisException e)
        {
            error = e;
        }

        StoreLog.Unreadable(logger, Named(server), key, rule, error);
        return null;
    }

    /// <summary>Checks that scripts are atomic, and that this user may run every command of ours.</summary>
    /// <exception cref="InvalidOperationException">They are not, or the user may not.</exception>
    public async Task CheckScriptsAsync(IConnectionMultiplexer redis, CancellationToken cancellation)
    {
        var key = $"{options.Value.KeyPrefix}@check:{RequestId.New()}";
        var others = new List<IConnectionMultiplexer>();
        try
        {
            await ConnectAsync(others, redis, cancellation);
            var counts = others.Prepend(redis).SelectMany(c => Enumerable.Range(0, ScriptsPerConnection)
                .Select(_ => c.GetDatabase().ScriptEvaluateAsync(CountUp, [key]))).ToArray();
            await Task.WhenAll(counts).WaitAsync(Patience, time, cancellation);
            var lost = counts.Length - counts.Select(c => (long)c.GetAwaiter().GetResult()).Distinct().Count();
            if (lost > 0)
            {
                throw new InvalidOperationException(
                    $"{Store} does not run scripts atomically: of {counts.Length} increments from {Connections} connections {lost} were "
                    + "lost, and so would be changes of sessions. Use Redis or Valkey, or turn the server's atomic script mode on "
                    + "(in Garnet: LuaTransactionMode).");
            }

            await redis.GetDatabase().KeyDeleteAsync(key);
            await TakeStepsAsync(redis.GetDatabase(), key).WaitAsync(Patience, time, cancellation);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            redis.GetDatabase().KeyDelete(key, CommandFlags.FireAndForget);
            throw new InvalidOperationException(
                $"{Store} is reached but does not run scripts for this user: {e.Message} Allow EVAL, EVALSHA, the hash and expiry commands "
                + $"and all keys that start with '{options.Value.KeyPrefix}'; docs/redis.md lists them.", e);
        }
        finally
        {
            foreach (var other in others)
            {
                await other.DisposeAsync();
            }
        }
    }

    /// <summary>
    /// Runs every script in a way that needs all of its commands. A user who may not run one of them would find out in the middle of a
    /// script, with what it had written kept.
    /// </summary>
    private async Task TakeStepsAsync(IDatabase database, string key)
    {
        var (claim, minute) = (OwnerNonce.New(), TimeSpan.FromMinutes(1));
        // The create is the first.
        var owner = claim.In(epoch: 2);
        var creation = new Creation
        {
            OwnerName = key, Secret = null, AbsoluteLifetime = minute, EventGrace = minute, StartedAt = time.GetTimestamp(),
        };
        var (index, handle) = ($"{key}:due", SessionHandle.New());
        var first = new Flush
        {
            Owner = OwnerNonce.New(),
            FromVersion = 0,
            Entries = [new RingEntry(RequestId.New(), "")],
            Delta = SessionDelta.Empty.Set("a", [1]),
            KeepFor = minute,
        };
        var second = first with
        {
            Owner = owner,
            FromVersion = 1,
            Entries = [new RingEntry(RequestId.New(), "")],
            Delta = SessionDelta.Empty.Clear().Set("b", [1]),
        };
        RedisScript[] steps =
        [
            RedisScript.Create(key, creation, first, RedisLayout.LongestMs), RedisScript.Claim(key, claim, key, minute),
            RedisScript.Commit(key, second), RedisScript.Touch(key, owner, second.ToVersion, minute),
            RedisScript.Release(key, owner, minute), RedisScript.Restore(key, Restored(second, key, minute), RedisLayout.LongestMs),
            RedisScript.Destroy(key, SessionEndReason.Destroyed, minute, owner), RedisScript.Untold(key),
            RedisScript.Told(key, 1, end: false, minute), RedisScript.Told(key, 1, end: true, minute),
            RedisScript.Schedule(index, handle, TimeSpan.Zero, null), RedisScript.Due(index, 1, minute),
            RedisScript.Schedule(index, handle, null, "0.000"), RedisScript.Schedule(index, handle, null, null),
        ];
        foreach (var step in steps)
        {
            await step.SendAsync(database);
        }

        await database.KeyDeleteAsync(key);
        await database.KeyDeleteAsync(index);
    }

    // Of a higher version than is stored, so that it is written.
    private Restoration Restored(Flush last, string key, TimeSpan minute) => new()
    {
        Owner = last.Owner,
        OwnerName = key,
        Epoch = 1,
        State = Enumerable.Range(0, (int)last.ToVersion + 1).Aggregate(
            SessionState.Empty(minute, secret: null), (state, _) => state.Apply(new Change(last.Delta), options.Value, key)),
        Ring = [new RingSlot(last.ToVersion, last.Entries[0], TimeSpan.Zero)],
        LifetimeLeft = null,
        EventGrace = minute,
        KeepFor = minute,
        StartedAt = time.GetTimestamp(),
    };

    // On one connection the commands queue up, so a server whose scripts interleave would look right.
    private async Task ConnectAsync(List<IConnectionMultiplexer> others, IConnectionMultiplexer redis, CancellationToken cancellation)
    {
        try
        {
            var configuration = ConfigurationOptions.Parse(options.Value.Redis ?? redis.Configuration);
            while (others.Count < Connections - 1)
            {
                others.Add(await ConnectionMultiplexer.ConnectAsync(configuration).WaitAsync(Patience, time, cancellation));
            }
        }
        catch (RedisConnectionException e) when (options.Value.Redis is null)
        {
            // The application's connection may have been made in a way that its text does not tell.
            StoreLog.Unreadable(logger, Store, "way to connect", "its scripts are atomic", e);
        }
    }
}
