namespace SessionActors;

/// <summary>
/// A lease ended before its holder did: the holder was silent for longer than <c>LockExpiry</c>, held it for longer than <c>MaxLease</c>,
/// or the session moved to another silo. Somebody else may have had the session meanwhile, so nothing of this commit was applied.
/// </summary>
[GenerateSerializer, Alias("SessionActors.SessionLeaseLostException")]
public sealed class SessionLeaseLostException : SessionException
{
    /// <summary>Creates the exception with its message.</summary>
    public SessionLeaseLostException(string session)
        : base(session, $"The lease on session {session} was lost before this commit: its holder was silent for longer than LockExpiry, "
            + "held it for longer than MaxLease, or the session moved to another silo. Nothing was stored. Repeat the request.")
    {
    }

    /// <summary>When a client may try again: 1 s.</summary>
    [Id(0)]
    public TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(1);
}

/// <summary>Somebody else had a lease on the session for too long, or too many waited for one. Nothing was changed.</summary>
[GenerateSerializer, Alias("SessionActors.SessionLeaseTimeoutException")]
public sealed class SessionLeaseTimeoutException : SessionException
{
    private SessionLeaseTimeoutException(string session, string message, bool mayWaitOn)
        : base(session, message) => MayWaitOn = mayWaitOn;

    /// <summary>When a client may try again: 1 s.</summary>
    [Id(0)]
    public TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether the wait is not over: a session holds no call for longer than a few seconds, so that it notices callers who are gone. The
    /// same call, sent again at once, waits on in its place. <see cref="SessionGrainExtensions"/> and web requests do that by themselves.
    /// </summary>
    [Id(1)]
    public bool MayWaitOn { get; }

    /// <summary>The caller's wait is over.</summary>
    public static SessionLeaseTimeoutException Over(string session, TimeSpan leaseWait) => new(
        session,
        $"Session {session} was held exclusively by somebody else for all of LeaseWait = {leaseWait}. Nothing was changed; try again.",
        mayWaitOn: false);

    /// <summary>Too many wait already.</summary>
    public static SessionLeaseTimeoutException Crowded(string session, int maxWaiters) => new(
        session,
        $"Session {session} is held exclusively by somebody else, and MaxWaiters = {maxWaiters} calls wait for it already. "
        + "Nothing was changed; try again.",
        mayWaitOn: false);

    /// <summary>The caller is to show that it still waits.</summary>
    public static SessionLeaseTimeoutException NotYet(string session) => new(
        session, $"Session {session} is held exclusively by somebody else. Send the call again with the same request id to wait on.",
        mayWaitOn: true);
}
