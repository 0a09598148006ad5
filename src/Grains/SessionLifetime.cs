namespace SessionActors;

/// <summary>
/// When a session that is in memory ends, and when the store must be told that it goes on. All times are elapsed times of one clock, given
/// in as <c>now</c>.
/// <para>
/// The store keeps a session for its idle time-out plus one touch interval, and is told again as soon as it would keep it for less than the
/// idle time-out: once per touch interval at most, and never so late that a session could expire early.
/// </para>
/// </summary>
internal sealed class SessionLifetime
{
    private static readonly TimeSpan ShortestKept = TimeSpan.FromMilliseconds(1);

    // As long as callers wait for the store: whatever a renewal takes is less, or they hear of it.
    private static readonly TimeSpan ShortlyKept = SessionRequest.DefaultPatience;

    // In ticks. Activity is seen by any thread, all else in the turns of the session's grain.
    private long _activeAt = TimeSpan.MinValue.Ticks;
    private TimeSpan _keptUntil;
    private TimeSpan? _endsAt;

    /// <summary>
    /// Whether the store keeps the session for longer than it takes to renew it. One that is loaded at the very end of its time is gone
    /// before a renewal, unless that comes first.
    /// </summary>
    public bool IsKept { get; private set; }

    /// <summary>
    /// Starts for a session that the store keeps for a while longer; that is all that is known of its last activity, unless this activation
    /// had the session before and saw some itself.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="askedAt">When the store was asked, which is when it said at the earliest what follows.</param>
    /// <param name="ttl">The session's idle time-out.</param>
    /// <param name="keptFor">How long the store keeps it.</param>
    /// <param name="lifetimeLeft">What is left until its absolute end; null without one.</param>
    public void Start(TimeSpan now, TimeSpan askedAt, TimeSpan ttl, TimeSpan keptFor, TimeSpan? lifetimeLeft)
    {
        var activeAt = now - ttl + (keptFor < ttl ? keptFor : ttl);
        Slide(activeAt);
        _keptUntil = askedAt + keptFor;
        _endsAt = now + lifetimeLeft;
        IsKept = keptFor >= ShortlyKept;
    }

    /// <summary>The session was used. Called by any thread; one that comes late takes nothing back.</summary>
    public void Slide(TimeSpan now)
    {
        var seen = Volatile.Read(ref _activeAt);
        while (now.Ticks > seen)
        {
            var other = Interlocked.CompareExchange(ref _activeAt, now.Ticks, seen);
            if (other == seen)
            {
                return;
            }

            seen = other;
        }
    }

    /// <summary>Why the session is over; null while it is not. One that is being written is not idle.</summary>
    public SessionEndReason? EndedBy(TimeSpan now, TimeSpan ttl, bool isWritten) =>
        now >= _endsAt ? SessionEndReason.Lifetime
        : !isWritten && now - ActiveAt >= ttl ? SessionEndReason.Idle
        : null;

    /// <summary>What is left until the session ends if nobody uses it any more.</summary>
    public TimeSpan Left(TimeSpan now, TimeSpan ttl) => Least(ActiveAt + ttl - now, now);

    /// <summary>From when on the session may have ended, or the store may have to hear of activity.</summary>
    public TimeSpan GoodUntil(TimeSpan ttl)
    {
        // Activity in the last moment that the store keeps enough for needs no renewal yet.
        var (idle, told) = (ActiveAt + ttl, _endsAt <= _keptUntil ? _endsAt.Value : _keptUntil - ttl + TimeSpan.FromTicks(1));
        return idle < told ? idle : told;
    }

    /// <summary>How long the store shall keep the session from now on, where it has to be told; else null.</summary>
    public TimeSpan? KeepFor(TimeSpan now, TimeSpan ttl, TimeSpan touchInterval)
    {
        var needed = Left(now, ttl);
        return _keptUntil - now < needed ? KeepForAnyway(now, ttl, touchInterval) : null;
    }

    /// <summary>How long the store shall keep the session from now on, told whether it is due or not.</summary>
    public TimeSpan KeepForAnyway(TimeSpan now, TimeSpan ttl, TimeSpan touchInterval) => Least(ActiveAt + ttl + touchInterval - now, now);

    /// <summary>The store was told, at the time given, to keep the session for so long.</summary>
    public void Kept(TimeSpan toldAt, TimeSpan keepFor) => (_keptUntil, IsKept) = (toldAt + keepFor, true);

    /// <summary>What is left until the absolute end; null without one.</summary>
    public TimeSpan? LifetimeLeft(TimeSpan now) => _endsAt - now;

    private TimeSpan ActiveAt => new(Volatile.Read(ref _activeAt));

    // A store keeps nothing for no time at all; the end is judged elsewhere.
    private TimeSpan Least(TimeSpan left, TimeSpan now)
    {
        var least = LifetimeLeft(now) is { } lifetime && lifetime < left ? lifetime : left;
        return least > ShortestKept ? least : ShortestKept;
    }
}
