namespace SessionActors;

/// <summary>
/// The base of everything that can go wrong with a session. <see cref="Session"/> names it as the logs do: the first 8 hexadecimal digits
/// of its handle's hash.
/// </summary>
[GenerateSerializer, Alias("SessionActors.SessionException")]
public abstract class SessionException : Exception
{
    private protected SessionException(string session, string message, Exception? inner = null)
        : base(message, inner) => Session = session;

    /// <summary>The session, as logs name it (<see cref="SessionHandle.LogName"/>).</summary>
    [Id(0)]
    public string Session { get; }
}

/// <summary>The store or the cluster did not answer in time. Whether a change was made says <see cref="MayBeApplied"/>.</summary>
[GenerateSerializer, Alias("SessionActors.SessionUnavailableException")]
public sealed class SessionUnavailableException : SessionException
{
    private SessionUnavailableException(string session, string message, bool mayBeApplied, bool moved, Exception? inner)
        : base(session, message, inner)
    {
        MayBeApplied = mayBeApplied;
        Moved = moved;
    }

    /// <summary>True where the change was sent and no answer came: it may be stored or not. False where it certainly is not.</summary>
    [Id(0)]
    public bool MayBeApplied { get; }

    /// <summary>
    /// True where only this activation lost the session, so that the same call, sent again at once, finds the one that has it.
    /// </summary>
    [Id(1)]
    public bool Moved { get; }

    /// <summary>When a client may try again: 1 s, about what a Redis client needs to find its server again.</summary>
    [Id(2)]
    public TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(1);

    /// <summary>The change was not made.</summary>
    public static SessionUnavailableException NotApplied(string session, string why, Exception? inner = null) => new(
        session, $"Session {session} is unavailable: {why} Nothing was changed; try again.", mayBeApplied: false, moved: false, inner);

    /// <summary>Nobody knows whether the change was made.</summary>
    public static SessionUnavailableException Unknown(string session, string why, Exception? inner = null) => new(
        session,
        $"Session {session} is unavailable: {why} The change may or may not be stored; read the session before repeating it.",
        mayBeApplied: true, moved: false, inner);

    /// <summary>
    /// Another activation of the session took over. The same call, sent again, finds it; where an answer of the store to the change got
    /// lost before, the change may be stored already.
    /// </summary>
    public static SessionUnavailableException TakenOver(string session, bool mayBeApplied = false) => new(
        session, $"Session {session} was taken over by another silo. Send the call again with the same request id.",
        mayBeApplied, moved: true, inner: null);

    /// <summary>
    /// The same failure for a call that may have been stored by an earlier try: nobody can say any more that nothing was changed.
    /// </summary>
    internal SessionUnavailableException AfterUnansweredTry() =>
        MayBeApplied ? this
        : Moved ? TakenOver(Session, mayBeApplied: true)
        : Unknown(Session, "an earlier try of the call was never answered.", this);
}

/// <summary>The session is not there, or not for this caller: <see cref="Reason"/> says why.</summary>
[GenerateSerializer, Alias("SessionActors.SessionDestroyedException")]
public sealed class SessionDestroyedException : SessionException
{
    /// <summary>Creates the exception with its message.</summary>
    public SessionDestroyedException(string session, SessionEndReason reason)
        : base(session, Describe(session, reason)) => Reason = reason;

    /// <summary>Why the session is not there.</summary>
    [Id(0)]
    public SessionEndReason Reason { get; }

    private static string Describe(string session, SessionEndReason reason) => reason switch
    {
        SessionEndReason.Destroyed => $"Session {session} was destroyed while it was in use; its changes are dropped. Start a new session.",
        SessionEndReason.Idle => $"Session {session} expired: nobody used it for its idle time-out. Start a new session.",
        SessionEndReason.Lifetime => $"Session {session} reached the end of its absolute lifetime. Start a new session.",
        SessionEndReason.Revoked => $"Session {session} was ended with others of its user's; its changes are dropped. Sign in again.",
        SessionEndReason.Limit => $"Session {session} was ended because its user signed in elsewhere too often (MaxSessionsPerUser).",
        SessionEndReason.Rotated => $"Session {session} got a new secret after this request opened it; the request's changes are dropped.",
        _ => $"Session {session} does not exist (any more): it expired or was destroyed. Start a new session.",
    };
}

/// <summary>A change would take the session past a limit. Nothing of it was applied.</summary>
[GenerateSerializer, Alias("SessionActors.SessionLimitExceededException")]
public sealed class SessionLimitExceededException : SessionException
{
    /// <summary>Creates the exception with its message.</summary>
    /// <param name="session">The session, as logs name it.</param>
    /// <param name="limit">The option that sets the limit.</param>
    /// <param name="allowed">Its value.</param>
    /// <param name="actual">What the change needs.</param>
    /// <param name="property">The property at fault, where it is one.</param>
    public SessionLimitExceededException(string session, string limit, long allowed, long actual, string? property = null)
        : base(session, Describe(session, limit, allowed, actual, property))
    {
        Limit = limit;
        Allowed = allowed;
        Actual = actual;
        Property = property;
    }

    /// <summary>The option that sets the limit, such as <c>MaxPropertyBytes</c>.</summary>
    [Id(0)]
    public string Limit { get; }

    /// <summary>The limit's value.</summary>
    [Id(1)]
    public long Allowed { get; }

    /// <summary>What the change needs.</summary>
    [Id(2)]
    public long Actual { get; }

    /// <summary>The property at fault, where it is one.</summary>
    [Id(3)]
    public string? Property { get; }

    private static string Describe(string session, string limit, long allowed, long actual, string? property)
    {
        // A name can be 64 KiB of anything; a message cannot.
        var what = property is null ? "The change" : $"Property '{(property.Length > 40 ? property[..40] + "…" : property)}'";
        return $"{what} would take session {session} to {actual}, over {limit} = {allowed}. "
            + $"Nothing of this request was stored. Keep less in the session, or raise {limit}.";
    }
}
