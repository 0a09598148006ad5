namespace SessionActors;

/// <summary>
/// One session as an actor, named by a <see cref="SessionHandle"/>. It keeps the properties in memory, applies deltas one after the other
/// and answers when they are stored.
/// <para>
/// Every call can throw <see cref="SessionUnavailableException"/> (the store, or the silo that held the session, is out of reach). Every
/// mutating call also throws <see cref="SessionDestroyedException"/> when the session is not there, and takes a
/// <see cref="SessionRequest"/>: sent again with the same one it is applied once. All of them but create and destroy throw
/// <see cref="SessionLeaseTimeoutException"/> while somebody else has the session exclusively, and, made under a lease that is lost,
/// <see cref="SessionLeaseLostException"/>. <see cref="SessionGrainExtensions"/> has the same calls without it, with the repeating built
/// in.
/// </para>
/// <para>
/// A call that finds nothing to do writes nothing, unless it was sent before: then its answer is stored, so that an earlier try which is
/// still on its way finds it.
/// </para>
/// <para>
/// Opening and reading that are not answered within 6 s, longer than the store may take, throw <see cref="TimeoutException"/>.
/// </para>
/// </summary>
[Alias("SessionActors.ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Opens the session for a web request with its cookie's secret.</summary>
    /// <param name="secret">The hash of the cookie's secret.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    [Alias("Open"), ResponseTimeout("00:00:06")]
    ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide);

    /// <summary>
    /// Opens the session for a caller that has a snapshot of it: where that can be, the answer has only what has changed since
    /// (<see cref="SessionOpening.Changes"/>).
    /// </summary>
    /// <param name="secret">The hash of the cookie's secret.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    /// <param name="known">The snapshot that the caller has.</param>
    [Alias("OpenSince"), ResponseTimeout("00:00:06")]
    ValueTask<SessionOpening> OpenSinceAsync(SecretHash secret, bool slide, SnapshotMark known);

    /// <summary>
    /// The session as it is now, then as it is after each change (of several at once the last), and at last its end. Does not renew the
    /// idle time-out. Ends without an end where the session moves to another silo; <see cref="SessionWatchExtensions.WatchAsync"/> goes on
    /// there. What another cluster changes is seen when this one reads it next.
    /// </summary>
    [Alias("Changes")]
    IAsyncEnumerable<SessionChange> ChangesAsync(CancellationToken cancellationToken);

    /// <summary>Reads the session without renewing its idle time-out; null where it is not there.</summary>
    [Alias("Read"), ResponseTimeout("00:00:06")]
    ValueTask<SessionSnapshot?> ReadAsync();

    /// <summary>Creates the session. Nothing else does: a commit to a session that is not there is refused.</summary>
    /// <exception cref="InvalidOperationException">A session with this handle exists already.</exception>
    /// <exception cref="SessionLimitExceededException">The first properties exceed a limit; nothing is created.</exception>
    [Alias("Create")]
    Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request);

    /// <summary>Applies a delta and returns the session's version with it, once it is stored. Counts as activity.</summary>
    /// <exception cref="SessionConflictException">One of its patches does not fit its property any more; nothing is applied.</exception>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing of the delta is applied.</exception>
    /// <exception cref="SessionConflictException">
    /// The request's <see cref="SessionRequest.OnConflict"/> is <see cref="ConflictBehaviour.Refuse"/>, and somebody else has changed what
    /// the delta changes since its <see cref="SessionDelta.BaseVersion"/> (or, where the session was loaded anew since then, has changed
    /// anything). Nothing of the delta is applied.
    /// </exception>
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
    /// Removes a property and returns the value that it had, once that is stored; null where there is none, which writes nothing. Of all
    /// that take the same value one gets it.
    /// </summary>
    [Alias("Take")]
    Task<ReadOnlyMemory<byte>?> TakeAsync(string name, SessionRequest request);

    /// <summary>
    /// Sets a property where it has, byte by byte, the value that the caller expects, and returns whether it had. Once it is stored; where
    /// it had another value nothing is written.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="expected">
    /// What it must be; null: it must not be there. (An array that is null converts to the empty value, not to null.)
    /// </param>
    /// <param name="value">What it becomes; null removes it.</param>
    /// <param name="request">The call's request.</param>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing is changed.</exception>
    [Alias("CompareAndSet")]
    Task<bool> CompareAndSetAsync(string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value, SessionRequest request);

    /// <summary>
    /// Returns a property's value; where there is none, sets it and returns the new one, once it is stored. All callers get the same value.
    /// </summary>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing is changed.</exception>
    [Alias("GetOrSet")]
    Task<ReadOnlyMemory<byte>> GetOrSetAsync(string name, ReadOnlyMemory<byte> value, SessionRequest request);

    /// <summary>
    /// Replaces the hash of the cookie's secret and returns the new generation, once it is stored. Requests that still carry the old secret
    /// are answered <see cref="SessionStanding.Superseded"/>; their commits are refused.
    /// </summary>
    [Alias("Regenerate")]
    Task<int> RegenerateAsync(SecretHash secret, SessionRequest request);

    /// <summary>
    /// Waits its turn for exclusive access and opens the session under it: until it is released no other commit is stored, unless
    /// <c>LeaseBlocksShared</c> is off. The request's id names the lease. <see cref="SessionLease"/> renews and releases it.
    /// </summary>
    /// <param name="secret">
    /// The hash of a cookie's secret, which must be the session's; null for a service that holds the handle alone.
    /// </param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    /// <param name="request">The request.</param>
    /// <returns>The opening with its lease; without one where the session has ended, or the secret is not the session's.</returns>
    /// <exception cref="SessionLeaseTimeoutException">
    /// The wait is over, or goes on if <see cref="SessionLeaseTimeoutException.MayWaitOn"/>; or too many wait.
    /// </exception>
    [Alias("Acquire")]
    Task<SessionOpening> AcquireAsync(SecretHash? secret, bool slide, SessionRequest request);

    /// <summary>Renews a lease; false where it is lost.</summary>
    [Alias("Renew")]
    ValueTask<bool> RenewAsync(RequestId lease);

    /// <summary>Gives a lease back, or gives up waiting for one. Does nothing where there is none of this name.</summary>
    [Alias("Release")]
    Task ReleaseAsync(RequestId lease);

    /// <summary>
    /// Makes the session a user's, once that is stored: <see cref="IUserSessionsGrain"/> lists it and can end it. Bound to the same user
    /// again, it is listed as if bound now.
    /// </summary>
    /// <exception cref="UserSessionLimitException">The user has too many; nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">It is another user's. End it, and bind a new one.</exception>
    [Alias("Bind")]
    Task BindAsync(UserBinding user, SessionRequest request);

    /// <summary>Ends the session for good, whoever holds it. Ending it twice is no error.</summary>
    [Alias("Destroy")]
    Task DestroyAsync(SessionRequest request);

    /// <summary>Ends the session for good and says why, for whoever comes next.</summary>
    /// <param name="reason">
    /// <see cref="SessionEndReason.Destroyed"/>, <see cref="SessionEndReason.Revoked"/> or <see cref="SessionEndReason.Limit"/>.
    /// </param>
    /// <param name="request">The request.</param>
    [Alias("End")]
    Task EndAsync(SessionEndReason reason, SessionRequest request);

    /// <summary>
    /// Whether a mutating call with this id has arrived here and is not answered yet, for a caller that misses the answer. False: it got
    /// lost, or its answer did; sent again, it is applied once.
    /// </summary>
    [Alias("IsUnderWay"), ResponseTimeout("00:00:02")]
    ValueTask<bool> IsUnderWayAsync(RequestId call);
}
