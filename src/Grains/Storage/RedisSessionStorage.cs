using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// The steps of the protocol as one script each on one key, so each is atomic, also in a Redis Cluster. The scripts decide; this class
/// sends them and reads the outcome; sending again what has no answer is its caller's.
/// </summary>
internal sealed class RedisSessionStorage(
    RedisConnection connection,
    IOptions<SessionActorsOptions> options,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider? time = null,
    SessionMetrics? metrics = null) : ISessionStorage
{
    private readonly string _prefix = options.Value.KeyPrefix;
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly RedisClock _clock = new(time ?? TimeProvider.System);
    private RedisProbe? _probe;

    public async Task<StoreReply> CreateAsync(SessionHandle handle, Creation creation, Flush flush)
    {
        if (!_clock.IsTaught && await TeachClockAsync() is { } error)
        {
            return new StoreReply(StoreOutcome.Unsent, Error: error);
        }

        var reply = await SendCreateAsync(handle, creation, flush);
        // A clock that a slow reply has taught makes a create look older than it is. The refusal has taught it better.
        return reply.Outcome == StoreOutcome.Late && _time.GetElapsedTime(creation.StartedAt) < ISessionStorage.CreateDeadline
            ? await SendCreateAsync(handle, creation, flush)
            : reply;
    }

    public Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        SendAsync(RedisScript.Claim(KeyOf(handle), owner, ownerName, tombstone));

    public Task<StoreReply> CommitAsync(SessionHandle handle, Flush flush) => SendAsync(RedisScript.Commit(KeyOf(handle), flush));

    public Task<StoreReply> PeekAsync(SessionHandle handle) => SendAsync(RedisScript.Peek(KeyOf(handle)));

    public Task<StoreReply> TouchAsync(SessionHandle handle, OwnerNonce owner, long version, TimeSpan keepFor) =>
        SendAsync(RedisScript.Touch(KeyOf(handle), owner, version, keepFor));

    public Task<StoreReply> DestroyAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner = null) =>
        SendAsync(RedisScript.Destroy(KeyOf(handle), reason, tombstone, owner));

    public Task<StoreReply> ReleaseAsync(SessionHandle handle, OwnerNonce owner, TimeSpan keepFor) =>
        SendAsync(RedisScript.Release(KeyOf(handle), owner, keepFor));

    public async Task<StoreReply> RestoreAsync(SessionHandle handle, Restoration restoration)
    {
        if (!_clock.IsTaught && await TeachClockAsync() is { } error)
        {
            return new StoreReply(StoreOutcome.Unsent, Error: error);
        }

        var deadlineMs = _clock.At(restoration.StartedAt) + RedisLayout.Ms(ISessionStorage.CreateDeadline);
        return await SendAsync(RedisScript.Restore(KeyOf(handle), restoration, deadlineMs));
    }

    public Task<StoreReply> WarnAsync(string ownerName) => SendAsync(RedisScript.Warn(WarningOf(ownerName)));

    public Task<StoreReply> AnnounceAsync(int part) => SendAsync(RedisScript.Marked(MarksKey, part));

    public Task<StoreProbe> ProbeAsync(string ownerName) =>
        (_probe ??= new RedisProbe(connection, _clock)).AskAsync(WarningOf(ownerName), MarksKey);

    private string MarksKey => $"{_prefix}@marks";

    private string WarningOf(string ownerName) => $"{_prefix}@warned:{ownerName}";

    private string KeyOf(SessionHandle handle) => _prefix + handle;

    private Task<StoreReply> SendCreateAsync(SessionHandle handle, Creation creation, Flush flush)
    {
        var deadlineMs = _clock.At(creation.StartedAt) + RedisLayout.Ms(ISessionStorage.CreateDeadline);
        return SendAsync(RedisScript.Create(KeyOf(handle), creation, flush, deadlineMs));
    }

    /// <summary>Sends a script on one key, and reads what became of it.</summary>
    public async Task<StoreReply> SendAsync(RedisScript script)
    {
        IConnectionMultiplexer multiplexer;
        try
        {
            multiplexer = await connection.GetAsync();
        }
        catch (Exception error)
        {
            return Counted(script, new StoreReply(StoreOutcome.Unsent, Error: error));
        }

        try
        {
            return Counted(script, RedisReply.Read(script, await script.SendHashAsync(multiplexer.GetDatabase()), _clock));
        }
        catch (RedisServerException error) when (RedisScript.IsUnknown(error))
        {
            return await SendTextAsync(script, multiplexer);
        }
        catch (Exception error)
        {
            return Counted(script, RedisReply.Of(error));
        }
    }

    private async Task<StoreReply> SendTextAsync(RedisScript script, IConnectionMultiplexer multiplexer)
    {
        try
        {
            return Counted(script, RedisReply.Read(script, await script.SendTextAsync(multiplexer.GetDatabase()), _clock));
        }
        catch (Exception error)
        {
            return Counted(script, RedisReply.Of(error));
        }
    }

    private StoreReply Counted(RedisScript script, in StoreReply reply)
    {
        if (reply.Error is { } error)
        {
            metrics?.OnRedisError(script.Source.Name, RedisReply.TypeOf(error));
        }

        return reply;
    }

    /// <summary>Asks for the time, once, before the first create. Returns what went wrong.</summary>
    private async Task<Exception?> TeachClockAsync()
    {
        try
        {
            var multiplexer = await connection.GetAsync();
            var parts = (long[]?)await multiplexer.GetDatabase().ExecuteAsync("TIME", [], CommandFlags.DemandMaster);
            _clock.Learn((parts![0] * 1000) + (parts[1] / 1000));
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }
}
