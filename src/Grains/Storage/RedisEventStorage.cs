using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>The events of sessions in Redis: in the sessions' own hashes, and in sorted sets of their deadlines.</summary>
internal sealed class RedisEventStorage(RedisSessionStorage sessions, IOptions<SessionActorsOptions> options) : IEventStorage
{
    private readonly string _prefix = options.Value.KeyPrefix;

    // In a Redis Cluster each is in another slot, and each is swept by one silo.
    public int Shards => 16;

    public Task<StoreReply> UntoldAsync(SessionHandle handle) => sessions.SendAsync(RedisScript.Untold(_prefix + handle));

    public Task<StoreReply> ToldAsync(SessionHandle handle, int told, bool end, TimeSpan tombstone) =>
        sessions.SendAsync(RedisScript.Told(_prefix + handle, told, end, tombstone));

    public Task<StoreReply> ExpireAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone) =>
        sessions.SendAsync(RedisScript.Destroy(_prefix + handle, reason, tombstone, owner: null, onlyIfOver: true));

    public Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan? dueIn, string? place = null)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(bytes);
        return sessions.SendAsync(RedisScript.Schedule(KeyOf(bytes[0] % Shards), handle, dueIn, place));
    }

    public Task<StoreReply> TakeDueAsync(int shard, int most, TimeSpan hold) =>
        sessions.SendAsync(RedisScript.Due(KeyOf(shard), most, hold));

    private string KeyOf(int shard) => $"{_prefix}@due:{shard}";
}
