using Microsoft.Extensions.Caching.Memory;

namespace SessionActors;

/// <summary>
/// The sessions that this server lately found ended. A browser keeps the cookie of an ended session, and sends it with every picture on a
/// page: this makes it one look-up per session and minute. An ended session never lives again, so being told so late does no harm.
/// </summary>
internal sealed class EndedSessions(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    // About 2 MiB when full. Past it sessions are looked up again, which is slower and not wrong.
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    public void Add(SessionHandle handle)
    {
        var entry = new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Memory };
        _cache.Set(handle.ToString(), time.GetTimestamp(), entry);
    }

    public bool Contains(SessionHandle handle) =>
        _cache.TryGetValue(handle.ToString(), out long since) && time.GetElapsedTime(since) < Memory;

    public void Dispose() => _cache.Dispose();
}
