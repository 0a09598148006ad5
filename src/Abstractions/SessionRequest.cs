namespace SessionActors;

/// <summary>
/// What every mutating call carries besides its payload: a name that stays the same when it is sent again, and how long its caller waits.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionRequest")]
public sealed record SessionRequest
{
    /// <summary>How long a caller waits unless it says otherwise: 5 s, well below Orleans' own time-out of 30 s for a call.</summary>
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(5);

    /// <summary>Past an hour nobody waits: 1 h.</summary>
    public static readonly TimeSpan MaxPatience = TimeSpan.FromHours(1);

    [Id(1)]
    private readonly TimeSpan _patience = DefaultPatience;

    [Id(3)]
    private readonly TimeSpan _unansweredFor;

    [Id(5)]
    private readonly TimeSpan _waitedFor;

    /// <summary>The name of the call.</summary>
    [Id(0)]
    public required RequestId Id { get; init; }

    /// <summary>
    /// How long the caller waits for the store, as a duration because clocks of two machines are never compared. Past it the call is
    /// answered "unknown" or "not applied" and is never applied any more. 0 to <see cref="MaxPatience"/>; default 5 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than <see cref="MaxPatience"/>.</exception>
    public TimeSpan Patience
    {
        get => _patience;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(Patience));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxPatience, nameof(Patience));
            _patience = value;
        }
    }

    /// <summary>
    /// The generation of the secret that the caller opened the session with; a call from before a rotation is refused. Null for a service
    /// that holds the handle alone.
    /// </summary>
    [Id(2)]
    public int? Generation { get; init; }

    /// <summary>
    /// How long ago this call was first sent to somebody whose answer never came; zero for a first try. A session that cannot tell any more
    /// whether it applied a call so old, because it has changed too often since, answers "unknown" instead of applying it twice.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public TimeSpan UnansweredFor
    {
        get => _unansweredFor;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(UnansweredFor));
            _unansweredFor = value;
        }
    }

    /// <summary>
    /// The lease (<see cref="SessionLease.Id"/>) that the call is made under: where that is lost, the call is refused with
    /// <see cref="SessionLeaseLostException"/>. Null for a call under none, which waits while somebody has one.
    /// </summary>
    [Id(4)]
    public RequestId? Lease { get; init; }

    /// <summary>
    /// The fencing token (<see cref="SessionLease.Token"/>) of that lease, which tells it from one that was granted to the same call
    /// elsewhere. Null: the lease's name alone counts. <see cref="SessionLease.NewRequest"/> has both.
    /// </summary>
    [Id(8)]
    public long? LeaseToken { get; init; }

    /// <summary>How long this call has waited for somebody else's lease already; zero for a first try.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public TimeSpan WaitedFor
    {
        get => _waitedFor;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(WaitedFor));
            _waitedFor = value;
        }
    }

    /// <summary>What becomes of the call where somebody else has changed what it changes. Default: the later change wins.</summary>
    [Id(6)]
    public ConflictBehaviour OnConflict { get; init; }

    /// <summary>
    /// The first of several calls that belong together, such as those of one web request; null in that first one, and in a call that stands
    /// alone. What calls that belong together have changed is no conflict between them.
    /// </summary>
    [Id(7)]
    public RequestId? PartOf { get; init; }

    /// <summary>
    /// How long ago the call may first have been applied without its caller hearing of it; zero where that cannot be. One that was told to
    /// come again may have had its turn before it came.
    /// </summary>
    internal TimeSpan UntoldFor => UnansweredFor > WaitedFor ? UnansweredFor : WaitedFor;

    /// <summary>What names the calls that belong together.</summary>
    internal RequestId Origin => PartOf ?? Id;

    /// <summary>A request with an id of its own.</summary>
    public static SessionRequest New() => new() { Id = RequestId.New() };
}
