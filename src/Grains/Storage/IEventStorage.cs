using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// What the store remembers of the events of sessions that were created with a <see cref="Creation.EventGrace"/>: which of them have been
/// told, and an index by deadline of the sessions that somebody has to look at. Answers as <see cref="ISessionStorage"/> does.
/// <list type="bullet">
/// <item>Such a session is stored for its grace longer than it lives. Once its own time is over it is <see cref="StoreOutcome.Missing"/>
/// to every step of its owners, but not to <see cref="ISessionStorage.DestroyAsync"/> nor to <see cref="UntoldAsync"/>.</item>
/// <item>Its end leaves what it held, its user and what has been told, for as long as it was to be stored, until
/// <see cref="ToldAsync"/> leaves the tombstone alone. Its secret, its owner and its ring go at once.</item>
/// <item>It is in the index from before it is created until its end was told, with a time no later than its deadline: so whoever takes
/// what is due finds every session whose events somebody began to tell and did not end to.</item>
/// </list>
/// </summary>
internal interface IEventStorage
{
    /// <summary>In how many parts the index is kept.</summary>
    int Shards { get; }

    /// <summary>
    /// Reads what has happened to a session and what of it has been told. Found, with <see cref="StoreReply.Untold"/>; Tombstone (all was
    /// told, or it had no events); Missing.
    /// </summary>
    Task<StoreReply> UntoldAsync(SessionHandle handle);

    /// <summary>
    /// Remembers that so many of the session's starts and rotations have been told, and, with <paramref name="end"/>, that its end has:
    /// then the tombstone alone is left, for <paramref name="tombstone"/>. Written; Missing.
    /// </summary>
    Task<StoreReply> ToldAsync(SessionHandle handle, int told, bool end, TimeSpan tombstone);

    /// <summary>
    /// Ends a session whose own time is over, as <see cref="ISessionStorage.DestroyAsync"/> does. Written; AlreadyWritten; Missing; Found
    /// (its time is not over, or is not any more).
    /// </summary>
    Task<StoreReply> ExpireAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone);

    /// <summary>
    /// Has the session looked at after this time; null takes it out of the index. Written, with <see cref="StoreReply.Place"/>; Fenced
    /// (it is not at the place given any more, because somebody else has said something since).
    /// </summary>
    Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan? dueIn, string? place = null);

    /// <summary>
    /// Takes up to <paramref name="most"/> sessions that are due, and puts them off by <paramref name="hold"/>: whoever takes them has that
    /// long to look at them. Found, with <see cref="StoreReply.Due"/>.
    /// </summary>
    Task<StoreReply> TakeDueAsync(int shard, int most, TimeSpan hold);
}

/// <summary>What has happened to a session, and how much of it has been told.</summary>
internal sealed record UntoldEvents
{
    /// <summary>How many of its starts and rotations have been told.</summary>
    public required int Told { get; init; }

    /// <summary>How many secrets it has had; 0 without any.</summary>
    public required int Generation { get; init; }

    /// <summary>Why it has ended; null while it has not, or nobody has noticed.</summary>
    public SessionEndReason? Ended { get; init; }

    /// <summary>What is left of its time; nothing, or less, where it is over.</summary>
    public required TimeSpan Left { get; init; }

    /// <summary>Whether it is past its absolute lifetime.</summary>
    public bool IsPastLifetime { get; init; }

    public BoundUser? User { get; init; }

    public required ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties { get; init; }

    /// <summary>How many starts and rotations there were.</summary>
    public int Happened => Math.Max(Generation, 1);
}
