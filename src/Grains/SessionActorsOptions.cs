namespace SessionActors;

/// <summary>
/// The options of the silo side, read from the configuration section <c>SessionActors</c> and changed by the delegate given to
/// <c>AddSessionActors</c> or <c>AddSessionSilo</c>. All of them are checked when the host starts.
/// </summary>
public sealed class SessionActorsOptions
{
    /// <summary>The configuration section that all of SessionActors' options are read from.</summary>
    public const string Section = "SessionActors";

    /// <summary>
    /// Idle time-out of a session that has none of its own. Default 20 minutes, at least 1 s. Longer keeps abandoned sessions in the store;
    /// shorter logs slow readers out.
    /// </summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Hard end of a session, however active, counted from its creation. Default null: none. Not shorter than <see cref="Ttl"/>. A session
    /// keeps the lifetime it was created with.
    /// </summary>
    public TimeSpan? AbsoluteLifetime { get; set; }

    /// <summary>
    /// StackExchange.Redis configuration of the Redis that keeps the sessions, such as <c>127.0.0.1:6379</c>. Default null: the
    /// <c>IConnectionMultiplexer</c> from the container if there is one, else the embedded store of <c>AddSessionSilo</c>.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>
    /// What every key in Redis starts with. Default <c>session:</c>. Two applications with different prefixes share a Redis and never meet;
    /// with the same prefix they share their sessions.
    /// </summary>
    public string KeyPrefix { get; set; } = "session:";

    /// <summary>
    /// How long the tombstone of an ended session tells why it ended. Default 5 s, as in connect-smart-redis, where it was also what kept
    /// the session dead; here a session stays dead without it. At least the longest request, so that such a request learns the reason. The
    /// store keeps a tombstone 15 s at least: the create deadline of 10 s, and 5 s more.
    /// </summary>
    public TimeSpan DeleteExpiry { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often the time-out of an active session is renewed in the store at most. Default null: a twentieth of the session's idle
    /// time-out, at most 1 minute. After a crash a session may live longer by this, never shorter. Shorter means more commands for reads.
    /// </summary>
    public TimeSpan? TouchInterval { get; set; }

    /// <summary>Largest value of one property, in bytes. Default 64 KiB.</summary>
    public int MaxPropertyBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Largest session: its names (as UTF-8) and values together, in bytes. Default 1 MiB. Not less than <see cref="MaxPropertyBytes"/>.
    /// </summary>
    public int MaxSessionBytes { get; set; } = 1024 * 1024;

    /// <summary>Most properties of one session. Default 1,024.</summary>
    public int MaxProperties { get; set; } = 1024;

    /// <summary>
    /// How long requests with the secret before the last rotation are still let in, for those that were under way then. Default 0: not at
    /// all. At most 1 minute. They see the session and change it; they never get the new secret, nor rotate it again. Not beyond a move of
    /// the session to another silo.
    /// </summary>
    public TimeSpan RotationGrace { get; set; }

    /// <summary>
    /// Most sessions that a user may be signed in with at once. Default null: any number; else 1 to 1,000. It is decided in one place, so
    /// it holds however many sign in at the same moment. Sessions that are bound to nobody do not count.
    /// </summary>
    public int? MaxSessionsPerUser { get; set; }

    /// <summary>
    /// What happens to one more. Default <see cref="SessionLimitBehaviour.EndOldest"/>. Only with <see cref="MaxSessionsPerUser"/>.
    /// </summary>
    public SessionLimitBehaviour OnSessionLimit { get; set; }

    /// <summary>
    /// How long a key signs session cookies before the next one does. Default 90 days, as for ASP.NET Core's Data Protection; 1 day to 10
    /// years. Nobody is logged out by it: a key verifies what it has signed for 400 days longer.
    /// </summary>
    public TimeSpan CookieKeyLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How long the end of a session can be told of: by so much longer than it lives it is stored, unless its end has been told. Default
    /// 1 day, 10 minutes to 30 days, and 5 minutes longer than <see cref="TouchInterval"/>. In use, ends are told within seconds; it takes
    /// all silos being down for so long for one to be lost. Only with <c>AddSessionEvents</c>; a session keeps the one that it was created
    /// with.
    /// </summary>
    public TimeSpan EventGrace { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Most calls that may wait for the store in one session, most that may wait for its lease, and most commits that may wait for the end
    /// of somebody else's. Default 256. Beyond it a call is turned away at once, so that a stalled store, or a holder that does not end,
    /// does not fill the memory.
    /// </summary>
    public int MaxWaiters { get; set; } = 256;

    /// <summary>
    /// How long a lease lives that nobody renews, and the guard of <see cref="CrossCluster"/>. Default 5 s, at least 0.5 s. Its holder
    /// renews it three times in that time for as long as its request runs. Shorter lets others in sooner after a holder's server was
    /// killed; longer forgives longer pauses, after which a holder's commit is refused.
    /// </summary>
    public TimeSpan LockExpiry { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a holder may renew its lease. Default 1 minute, at least <see cref="LockExpiry"/>. Past it the lease ends, however alive
    /// its holder is, and what it commits is refused.
    /// </summary>
    public TimeSpan MaxLease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a call waits for somebody else's lease to end: one that wants the lease itself, and a commit of a shared request. Default
    /// 30 s, at most 1 hour; 0 waits not at all. Past it the client gets 503 with Retry-After.
    /// </summary>
    public TimeSpan LeaseWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether commits of shared requests wait while somebody has the lease. Default true: exclusive means exclusive. False lets them
    /// through, so that a lease only keeps other leases out. Reads wait with neither.
    /// </summary>
    public bool LeaseBlocksShared { get; set; } = true;

    /// <summary>
    /// How long to wait before asking again for a session's guard that another cluster has; half to one and a half of it, at random.
    /// Default 100 ms, 1 ms to <see cref="LockExpiry"/>. Shorter lets the clusters alternate faster and asks the masters more often. Only
    /// with <see cref="CrossCluster"/>; who waits within a cluster stands in a queue and asks nobody.
    /// </summary>
    public TimeSpan RetryTime { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// What lets several clusters serve the same sessions from one Redis in good order and with fresh reads. Default null: off, and free.
    /// The same in each of the clusters.
    /// </summary>
    public CrossClusterOptions? CrossCluster { get; set; }

    /// <summary>
    /// When a change is acknowledged. Default <see cref="FlushMode.WriteThrough"/>: when it is stored. <see cref="FlushMode.WriteBehind"/>
    /// answers from memory and stores what has gathered up to <see cref="FlushDelay"/> later: fewer and larger writes, and the changes of
    /// that time are lost if the silo's process is killed. Not with <see cref="CrossCluster"/>.
    /// </summary>
    public FlushMode FlushMode { get; set; }

    /// <summary>
    /// How long an acknowledged change is away from the store at most while the store answers. Default 1 s, 10 ms to 1 minute. Longer makes
    /// fewer writes of a busy session and loses more when a process is killed; below 10 ms a write that goes through gathers as much. Only
    /// with <see cref="FlushMode.WriteBehind"/>.
    /// </summary>
    public TimeSpan FlushDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Most bytes of one session that are acknowledged and not stored yet: names and values, and 512 bytes for each change. Default
    /// 256 KiB, 1 KiB to 64 MiB. Past it changes wait for the store as if written through, and while it is out of reach they are turned
    /// away. Only with <see cref="FlushMode.WriteBehind"/>.
    /// </summary>
    public int MaxPendingBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// How long a silo may answer reads from memory after it last proved that it is a member of its cluster and reaches the store: how old
    /// a read may be at most while servers or networks fail. Default 3 s, 0.5 s to 1 hour; 0 asks the store before every read, one command
    /// each. It is proved three times in that time. While it is not, reads are compared with the store, or 503 where that is out of reach.
    /// Longer serves reads through longer outages of the store, and older ones.
    /// </summary>
    public TimeSpan ServingLease { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long an activation that nobody calls stays in memory. Default 5 minutes, at least 1 minute (how often Orleans looks). Longer
    /// saves the one command that loads the session again; shorter saves memory.
    /// </summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether a Redis whose <c>maxmemory-policy</c> may evict sessions is accepted. Default false: start-up refuses it, because every
    /// policy but <c>noeviction</c> drops live sessions when the memory is full.
    /// </summary>
    public bool AllowEviction { get; set; }

    /// <summary>How long a tombstone is stored.</summary>
    internal TimeSpan StoredTombstone
    {
        get
        {
            var least = ISessionStorage.CreateDeadline + ISessionStorage.TombstoneMargin;
            return DeleteExpiry > least ? DeleteExpiry : least;
        }
    }

    /// <summary>How often the time-out of a session with this idle time-out is renewed in the store at most.</summary>
    internal TimeSpan TouchIntervalOf(TimeSpan ttl)
    {
        var most = TouchInterval is null ? ttl / 20 : ttl;
        var interval = TouchInterval ?? TimeSpan.FromMinutes(1);
        return interval < most ? interval : most;
    }
}
