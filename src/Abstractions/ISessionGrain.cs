namespace SessionActors;

/// <summary>
/// One session as an actor, named by a <see cref="SessionHandle"/>. It keeps the properties in memory, applies deltas one after the other
/// and answers when they are stored.
/// <para>
/// Every call can throw <see cref="SessionUnavailableException"/> (the store, or the silo that held the session, is out of reach). Every
/// mutating call also throws <see cref="SessionDestroyedException"/> when the session is not there, and takes a
/// <see cref="SessionRequest"/>: sent again with the same one it is applied once. <see cref="SessionGrainExtensions"/> has the same calls
/// without it, with the repeating built in.
/// </para>
/// </summary>
[Alias("SessionActors.ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Opens the session for a web request with its cookie's secret.</summary>
    /// <param name="secret">The hash of the cookie's secret.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    [Alias("Open")]
    ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide);

    /// <summary>Reads the session without renewing its idle time-out; null where it is not there.</summary>
    [Alias("Read")]
    ValueTask<SessionSnapshot?> ReadAsync();

    /// <summary>Creates the session. Nothing else does: a commit to a session that is not there is refused.</summary>
    /// <exception cref="InvalidOperationException">A session with this handle exists already.</exception>
    /// <exception cref="SessionLimitExceededException">The first properties exceed a limit; nothing is created.</exception>
    [Alias("Create")]
    Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request);

    /// <summary>Applies a delta and returns the session's version with it, once it is stored. Counts as activity.</summary>
    /// <exception cref="SessionConflictException">One of its patches does not fit its property any more; nothing is applied.</exception>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing of the delta is applied.</exception>
    [Alias("Commit")]
    Task<long> CommitAsync(SessionDelta delta, SessionRequest request);

    /// <summary>
    /// Adds to a number and returns the sum, once it is stored. A property that is not there counts as 0. The number is kept as
    /// <c>ISession.SetInt32</c> writes it (4 bytes, big-endian) while it fits, else in 8 bytes.
    /// </summary>
    /// <exception cref="OverflowException">The sum does not fit 64 bits; nothing is changed.</exception>
    /// <exception cref="FormatException">The property is no number.</exception>
    [Alias("Increment")]
    Task<long> IncrementAsync(string name, long by, SessionRequest request);

    /// <summary>
    /// Replaces the hash of the cookie's secret and returns the new generation, once it is stored. Requests that still carry the old secret
    /// are answered <see cref="SessionStanding.Superseded"/>; their commits are refused.
    /// </summary>
    [Alias("Regenerate")]
    Task<int> RegenerateAsync(SecretHash secret, SessionRequest request);

    /// <summary>Ends the session for good, whoever holds it. Ending it twice is no error.</summary>
    [Alias("Destroy")]
    Task DestroyAsync(SessionRequest request);
}
