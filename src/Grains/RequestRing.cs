using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// The last <see cref="ISessionStorage.RingSize"/> request ids of a session with what they were answered, as the store has them too.
/// </summary>
internal sealed class RequestRing
{
    // Searched from end to end: 128 comparisons of 16 bytes cost less than the write they save, and most sessions hold a handful.
    private readonly Queue<(long Version, RingEntry Entry, TimeSpan AddedAt)> _entries = new();
    private TimeSpan _completeSince = TimeSpan.MinValue;

    public RequestRing()
    {
    }

    public RequestRing(StoredSession stored, TimeSpan now)
    {
        // With their real ages: an id that is forgotten next says how far back the ring reaches then. As young as this load, each would
        // make every call unknown that crossed it.
        foreach (var slot in stored.Ring.Values.OrderBy(slot => slot.Version))
        {
            Add(slot.Version, slot.Entry, now - slot.Age);
        }

        _completeSince = now - stored.RingReach ?? TimeSpan.MinValue;
    }

    public void Add(long version, RingEntry entry, TimeSpan now)
    {
        if (_entries.Count == ISessionStorage.RingSize)
        {
            _completeSince = _entries.Dequeue().AddedAt;
        }

        _entries.Enqueue((version, entry, now));
    }

    /// <summary>Whether an id that is not here may have been applied since then; null stands for never.</summary>
    public bool MayHaveForgotten(TimeSpan? then) => then <= _completeSince;

    /// <summary>All of it, oldest first.</summary>
    public ImmutableArray<RingSlot> Slots(TimeSpan now) => [.. _entries.Select(e => new RingSlot(e.Version, e.Entry, now - e.AddedAt))];

    public Applied? Find(RequestId id)
    {
        foreach (var (version, entry, _) in _entries)
        {
            if (entry.Id == id)
            {
                return new Applied(version, entry.Result);
            }
        }

        return null;
    }
}

/// <summary>What a mutating call is answered: the version it led to, and its result if it has one besides.</summary>
internal readonly record struct Applied(long Version, string Result);
