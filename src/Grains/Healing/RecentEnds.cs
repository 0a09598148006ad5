using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>The sessions that this silo has ended lately, to be ended again where the store has forgotten it.</summary>
internal sealed class RecentEnds(StoreWatch store, TimeSpan kept)
{
    /// <summary>Of more than these the oldest are forgotten first.</summary>
    public const int Most = 10_000;

    private readonly ConcurrentQueue<RecentEnd> _ends = new();

    /// <summary>A session was ended, and the store has said so.</summary>
    public void Add(SessionHandle handle, SessionEndReason reason)
    {
        _ends.Enqueue(new RecentEnd(handle, reason, store.Now));
        while (_ends.TryPeek(out var oldest) && (_ends.Count > Most || oldest.At < store.Before(store.Now, kept)))
        {
            _ends.TryDequeue(out _);
        }
    }

    /// <summary>Those that were ended up to now and are not forgotten.</summary>
    public IReadOnlyList<RecentEnd> ToList()
    {
        var since = store.Before(store.Now, kept);
        return [.. _ends.Where(end => end.At >= since)];
    }
}

/// <summary>A session that was ended, why, and when on the clock of <see cref="StoreWatch"/>.</summary>
internal readonly record struct RecentEnd(SessionHandle Handle, SessionEndReason Reason, long At);
