namespace SessionActors;

/// <summary>
/// The steps of the storage protocol. Each is atomic for one session, decides by itself whether it may happen, and says so by a
/// <see cref="StoreOutcome"/>; none throws for anything that the store says or does not say. Durations go in and come out: no step compares
/// the clocks of two machines.
/// <list type="bullet">
/// <item>Absent means gone: only <see cref="CreateAsync"/> makes a session, so nothing that comes late revives one. The exception is
/// <see cref="RestoreAsync"/>, for a session that the store itself has lost.</item>
/// <item>The fence is the owner's nonce, compared for equality. Whoever claims draws a new one, and every earlier owner is fenced.</item>
/// <item>A flush that its owner sends again with the same ids is applied once and answered <see cref="StoreOutcome.AlreadyWritten"/>, for
/// as long as its ids are in the ring (<see cref="RingSize"/> deltas). Once somebody else has claimed the session it is fenced: what was
/// done to each id then tells the ring that a claim reads.</item>
/// <item>No answer is <see cref="StoreOutcome.Unknown"/>: neither success nor failure. Only what certainly did not reach the store is
/// <see cref="StoreOutcome.Unsent"/>, only what the store itself turned down is <see cref="StoreOutcome.Refused"/>.</item>
/// <item>An ended session is a tombstone for a while: every step but destroy is answered <see cref="StoreOutcome.Tombstone"/> with the
/// reason. After that it is missing.</item>
/// </list>
/// </summary>
internal interface ISessionStorage
{
    /// <summary>How many deltas the ring of request ids remembers.</summary>
    const int RingSize = 128;

    /// <summary>
    /// How old a create may be when it arrives. Every tombstone outlives it by <see cref="TombstoneMargin"/>, so a create that was
    /// delayed on its way cannot revive a session whose tombstone has gone.
    /// </summary>
    static readonly TimeSpan CreateDeadline = TimeSpan.FromSeconds(10);

    /// <summary>By how much a tombstone outlives the create deadline.</summary>
    static readonly TimeSpan TombstoneMargin = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Stores a session that is not there, owned by <see cref="Flush.Owner"/>, with the flush's delta as version 1.
    /// Written; AlreadyWritten (the flush's id is in the ring); Exists; Tombstone; Late (older than <see cref="CreateDeadline"/> since
    /// <see cref="Creation.StartedAt"/>).
    /// </summary>
    Task<StoreReply> CreateAsync(SessionHandle handle, Creation creation, Flush flush);

    /// <summary>
    /// Makes <paramref name="owner"/> the session's owner, counts the epoch up and reads everything: loading is claiming.
    /// Written; AlreadyWritten (<paramref name="owner"/> has it already; the epoch stays); both with <see cref="StoreReply.Session"/>.
    /// Missing; Tombstone; Expired (past its absolute lifetime: it is a tombstone now, kept for <paramref name="tombstone"/>).
    /// </summary>
    Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce owner, string ownerName, TimeSpan tombstone);

    /// <summary>
    /// Applies a flush. Written; Fenced (another owner, whose name is in <see cref="StoreReply.OwnerName"/>); AlreadyWritten (all its ids
    /// are in the ring, each at its place); Behind (the store's version is lower than <see cref="Flush.FromVersion"/>: it lost data);
    /// Ahead (it is higher); Missing; Tombstone.
    /// </summary>
    Task<StoreReply> CommitAsync(SessionHandle handle, Flush flush);

    /// <summary>
    /// Tells at which version the session is, who owns it and whether the owner has handed it over, and changes nothing. Found, with
    /// <see cref="StoreReply.Mark"/>; Missing; Tombstone.
    /// </summary>
    Task<StoreReply> PeekAsync(SessionHandle handle);

    /// <summary>Sets how long the session is kept from now on. Written, Fenced, Behind, Ahead, Missing, Tombstone.</summary>
    Task<StoreReply> TouchAsync(SessionHandle handle, OwnerNonce owner, long version, TimeSpan keepFor);

    /// <summary>
    /// Ends the session: everything is deleted and a tombstone written in its place, kept for <paramref name="tombstone"/>. Without
    /// <paramref name="owner"/> always accepted, also where nothing is stored (a create may still be on its way): Written, or
    /// AlreadyWritten where a tombstone is there, which keeps its reason and lives at least as long as asked. Written tells, where silos
    /// share the store, who had the session and had not handed it over (<see cref="StoreReply.OwnerName"/>), and whose it was
    /// (<see cref="StoreReply.User"/>). With
    /// <paramref name="owner"/> only under its nonce: Written, Fenced, Missing, Tombstone.
    /// </summary>
    Task<StoreReply> DestroyAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner = null);

    /// <summary>
    /// Marks a clean hand-over by the owner, who keeps nothing in memory any more, and sets how long the session is kept. The nonce stays.
    /// Written, Fenced, Missing, Tombstone.
    /// </summary>
    Task<StoreReply> ReleaseAsync(SessionHandle handle, OwnerNonce owner, TimeSpan keepFor);

    /// <summary>
    /// Writes back a session that the store has lost, whole. Written (nothing was stored; or an older state of the same owner, or of the
    /// one it was claimed from as it was claimed); AlreadyWritten; Ahead (the owner has stored a higher version since, in the same epoch);
    /// Fenced; Tombstone;
    /// Late (older than <see cref="CreateDeadline"/> since <see cref="Restoration.StartedAt"/>).
    /// </summary>
    Task<StoreReply> RestoreAsync(SessionHandle handle, Restoration restoration);

    /// <summary>How long a warning is kept: many times what is between two probes of a silo that may answer from memory.</summary>
    static readonly TimeSpan WarningKept = TimeSpan.FromHours(1);

    /// <summary>
    /// Warns an owner that a session was claimed from it which it had not handed over. It hears of it with its next probe. Written.
    /// </summary>
    Task<StoreReply> WarnAsync(string ownerName);

    /// <summary>
    /// Into how many parts users are divided for announcements: so many that most are quiet, and few enough for a probe to carry.
    /// </summary>
    const int UserParts = 256;

    /// <summary>
    /// Says that some user's sessions were ended together: every silo, of whatever cluster, hears of the part with its next probe. Written.
    /// </summary>
    /// <param name="part">The user's part, from 0.</param>
    Task<StoreReply> AnnounceAsync(int part);

    /// <summary>
    /// Asks the store, all of it, for a sign of life, which store it is, and whether this owner was warned. Concerns no session.
    /// </summary>
    Task<StoreProbe> ProbeAsync(string ownerName);
}
