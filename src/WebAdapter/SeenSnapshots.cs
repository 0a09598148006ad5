using Microsoft.Extensions.Caching.Memory;

namespace SessionActors;

/// <summary>
/// What this server saw last of sessions that another process has. A request sends the mark of the snapshot seen last, and the session
/// answers what has changed since: so what goes over the wire does not grow with the session. Nothing is used from here but by such an
/// answer, and so nothing of a session that has ended, or that others have changed.
/// </summary>
internal sealed class SeenSnapshots(long mostBytes) : IDisposable
{
    // What a snapshot takes besides its properties, and one of those besides its name and value.
    private const int Fixed = 500, PerProperty = 150;

    private static readonly TimeSpan Unused = TimeSpan.FromMinutes(20);

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = mostBytes });

    /// <summary>Opens a session in another process.</summary>
    /// <param name="session">The session.</param>
    /// <param name="open">The call, given the snapshot that is known of it.</param>
    public async ValueTask<SessionOpening> OpenAsync(SessionHandle session, Func<SnapshotMark?, ValueTask<SessionOpening>> open)
    {
        if (_cache.Get<SessionOpening>(session.ToString()) is not { Snapshot: { } snapshot } known)
        {
            var first = await open(null);
            Keep(session, first);
            return first;
        }

        var answer = await open(new SnapshotMark(snapshot.History, snapshot.Version));
        var opening = answer.Whole(known);
        if (opening != known)
        {
            Keep(session, opening);
        }

        return opening;
    }

    private void Keep(SessionHandle session, SessionOpening opening)
    {
        if (opening is { Standing: SessionStanding.Open, IsUnderOldSecret: false, Snapshot: { } snapshot })
        {
            var entry = new MemoryCacheEntryOptions { Size = SizeOf(snapshot), SlidingExpiration = Unused };
            _cache.Set(session.ToString(), opening, entry);
        }
        else
        {
            _cache.Remove(session.ToString());
        }
    }

    public void Dispose() => _cache.Dispose();

    private static long SizeOf(SessionSnapshot snapshot)
    {
        long size = Fixed;
        foreach (var (name, value) in snapshot.Properties)
        {
            size += PerProperty + (2 * name.Length) + value.Length;
        }

        return size;
    }
}
