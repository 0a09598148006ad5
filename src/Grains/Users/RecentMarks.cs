using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>The marks that this silo has heard of lately, to be set again where the store has forgotten them.</summary>
internal sealed class RecentMarks(StoreWatch store, TimeSpan kept)
{
    private readonly ConcurrentDictionary<string, (UserMark Mark, long At)> _marks = new();

    /// <summary>A user's sessions were ended together.</summary>
    public void Add(string userId, UserMark mark)
    {
        _marks[userId] = (mark, store.Now);
        foreach (var old in _marks.Where(known => known.Value.At < store.Before(store.Now, kept)))
        {
            _marks.TryRemove(old);
        }
    }

    /// <summary>Those that are not forgotten.</summary>
    public IReadOnlyList<(string UserId, UserMark Mark)> ToList()
    {
        var since = store.Before(store.Now, kept);
        return [.. _marks.Where(known => known.Value.At >= since).Select(known => (known.Key, known.Value.Mark))];
    }
}
