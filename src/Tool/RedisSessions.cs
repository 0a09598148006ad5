using System.Globalization;
using System.Runtime.InteropServices;
using StackExchange.Redis;
using MsOptions = Microsoft.Extensions.Options.Options;

namespace SessionActors;

/// <summary>Sessions as Redis has them, read without a silo. Nothing is written.</summary>
internal static class RedisSessions
{
    private const int Together = 200;

    public static Task<ShownSession> ReadAsync(Place place, SessionHandle handle, bool values) => AskAsync(place, async connection =>
    {
        var database = (await connection.GetAsync()).GetDatabase();
        RedisKey key = place.Options.KeyPrefix + handle;
        var hash = (RedisResult[])(await database.ExecuteAsync("HGETALL", [key], CommandFlags.DemandMaster))!;
        var time = (long[])(await database.ExecuteAsync("TIME", [], CommandFlags.DemandMaster))!;
        var kept = await database.KeyTimeToLiveAsync(key, CommandFlags.DemandMaster);
        try
        {
            return Shown(handle, hash, (time[0] * 1000) + (time[1] / 1000), kept, values);
        }
        catch (FormatException e)
        {
            throw new ToolException(ExitCode.NotThere, $"What Redis has of session {handle} is none of format 1. {e.Message}", e);
        }
    });

    /// <summary>
    /// The live ones: those that the scripts find. One that was left idle is counted for up to its touch interval longer than it lives.
    /// </summary>
    public static Task<long> CountAsync(Place place) => AskAsync(place, async connection =>
    {
        var (count, prefix) = (0L, place.Options.KeyPrefix);
        var storage = new RedisSessionStorage(connection, MsOptions.Create(place.Options));
        // SCAN may give a key twice. As numbers, since millions of handles would take too much room.
        var seen = new HashSet<UInt128>();
        var handles = KeysAsync(await connection.GetAsync(), prefix)
            .Where(key => SessionHandle.TryParse(key[prefix.Length..], out _)).Select(key => SessionHandle.Parse(key[prefix.Length..]));
        await foreach (var some in handles.Where(handle => seen.Add(Number(handle))).Chunk(Together))
        {
            var replies = await Task.WhenAll(some.Select(storage.PeekAsync));
            count += replies.Count(reply => reply.Outcome == StoreOutcome.Found);
            if (replies.FirstOrDefault(reply => reply.Error is not null).Error is { } error)
            {
                throw new ToolException(ExitCode.OutOfReach, $"{place.RedisName} does not tell of every session: {error.Message}", error);
            }
        }

        return count;
    });

    /// <summary>All keys that begin with the prefix, of sessions and others.</summary>
    public static IAsyncEnumerable<string> KeysAsync(IConnectionMultiplexer redis, string prefix) =>
        RedisStoreCheck.Masters(redis).ToAsyncEnumerable()
            .SelectMany(server => server.KeysAsync(redis.GetDatabase().Database, $"{prefix}*", pageSize: 1000)).Select(key => $"{key}");

    private static UInt128 Number(SessionHandle handle)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(bytes);
        return MemoryMarshal.Read<UInt128>(bytes);
    }

    private static ShownSession Shown(SessionHandle handle, RedisResult[] hash, long nowMs, TimeSpan? kept, bool values)
    {
        var meta = RedisLayout.Split(hash).Meta;
        if (meta.TryGetValue("@ended", out var reason))
        {
            throw new ToolException(ExitCode.NotThere, $"Session {handle} has ended: {reason}.");
        }

        var format = meta.GetValueOrDefault("@format");
        var found = hash.Length == 0 ? null
            : format == "1" ? RedisLayout.Read(hash, nowMs, kept ?? TimeSpan.MaxValue, null, null, false)
            : throw new FormatException($"Its field @format is '{format}'.");
        // As for the scripts: one whose end is yet to be told of stays for longer than it lives.
        var left = found?.KeptFor - (found?.EventGrace ?? TimeSpan.Zero);
        var isOver = meta.TryGetValue("@until", out var until) && long.Parse(until, CultureInfo.InvariantCulture) <= nowMs;
        if (left is not { Ticks: > 0 } || isOver)
        {
            throw new ToolException(ExitCode.NotThere, $"There is no session {handle} (any more).");
        }

        return new ShownSession
        {
            Handle = handle,
            Version = found!.Version,
            TtlSeconds = found.OwnTtl?.TotalSeconds,
            Generation = found.Generation,
            User = found.User?.Id,
            GoesWith = found.User?.With,
            Silo = meta.GetValueOrDefault("@silo"),
            KeptForSeconds = kept is null ? null : left.Value.TotalSeconds,
            Properties = ShownSession.Of(found.Properties, values),
        };
    }

    private static async Task<T> AskAsync<T>(Place place, Func<RedisConnection, Task<T>> ask)
    {
        await using var connection = new RedisConnection(MsOptions.Create(place.Options));
        try
        {
            return await ask(connection);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or InvalidOperationException)
        {
            // The client's own messages do not say which server it was.
            var which = e is InvalidOperationException ? "" : $"{place.RedisName} does not answer this: ";
            throw new ToolException(ExitCode.OutOfReach, $"{which}{e.Message} Here that is --redis, or SessionActors__Redis.", e);
        }
    }
}
