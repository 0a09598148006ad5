using Microsoft.Extensions.Caching.Memory;

namespace SessionActors;

/// <summary>
/// What this server saw last of sessions that another process has. A request sends the mark of the snapshot seen last, and the session
/// answers what has changed since: so what goes over the wire does not grow with the session. Nothing is used from here but by such an
/// answer, and so nothing of a session that has ended, or that others have changed.
/// </summary>
internal sealed class SeenSnapshots(long mostBytes, ILocalSessions? local) : IDisposable
{
    // What a snapshot takes besides its properties, and one of those besides its name and value.
    private const int Fixed = 500, PerProperty = 150;

    private static readonly TimeSpan Unused = TimeSpan.FromMinutes(20);

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = mostBytes });

    /// <summary>Opens a session that is in another process's memory, or in none.</summary>
    /// <param name="calls">Make the call.</param>
    /// <param name="grain">The session's grain.</param>
    /// <param name="session">The session.</param>
    /// <param name="secret">The hash of the secret in its cookie.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    public async ValueTask<SessionOpening> OpenAsync(
        SessionCalls calls, ISessionGrain grain, SessionHandle session, SecretHash secret, bool slide)
    {
        if (_cache.Get<SessionOpening>(session.ToString()) is not { Snapshot: { } snapshot } known)
        {
            var first = await calls.OpenAsync(grain, session, secret, slide, known: null);
            Keep(session, first);
            return first;
        }

        var mark = new SnapshotMark(snapshot.History, snapshot.Version);
        var answer = await calls.OpenAsync(grain, session, secret, slide, mark);
        var opening = answer.Whole(known);
        if (opening != known)
        {
            Keep(session, opening);
        }

        return opening;
    }

    // One that this very call has brought into this process's memory is there already.
    private void Keep(SessionHandle session, SessionOpening opening)
    {
        if (local?.Has(session) is not true
            && opening is { Standing: SessionStanding.Open, IsUnderOldSecret: false, Snapshot: { } snapshot })
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
