namespace SessionActors;

/// <summary>
/// The calls of <see cref="ISessionGrain"/> for whoever does not want to handle retries: each draws a request id, and repeats the call
/// with the same id while the session is moving between silos, for <see cref="SessionRequest.DefaultPatience"/> at most.
/// </summary>
public static class SessionGrainExtensions
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // Many times what a call takes, and little of what its caller waits.
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(2);

    // As long as Orleans waits for a message, unless told otherwise. A session in this process is called without one.
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="ISessionGrain.CommitAsync"/>
    /// <param name="session">The session.</param>
    /// <param name="delta">The change, which says the version it is based on (<see cref="SessionDelta.BasedOn"/>).</param>
    /// <param name="onConflict">What becomes of it where somebody else has changed what it changes since that version.</param>
    public static Task<long> CommitAsync(
        this ISessionGrain session, SessionDelta delta, ConflictBehaviour onConflict = ConflictBehaviour.LastWriterWins)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.RetryAsync(
            SessionRequest.New() with { OnConflict = onConflict }, request => session.CommitAsync(delta, request));
    }

    /// <inheritdoc cref="ISessionGrain.IncrementAsync"/>
    public static Task<long> IncrementAsync(this ISessionGrain session, string name, long by = 1)
    {
        ArgumentNullException.ThrowIfNull(session);
        PropertyName.BytesOf(name);
        return session.RetryAsync(SessionRequest.New(), request => session.IncrementAsync(name, by, request));
    }

    /// <summary>
    /// Waits for exclusive access to the session, and has it until the lease is disposed: no other commit is stored meanwhile, unless
    /// <c>LeaseBlocksShared</c> is off.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SessionLeaseTimeoutException">Others had it for all of <c>LeaseWait</c>, or too many wait.</exception>
    /// <exception cref="SessionDestroyedException">The session is not there.</exception>
    public static async Task<SessionLease> AcquireAsync(this ISessionGrain session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        var opening = await session.AcquireAsync(secret: null, slide: true, SessionRequest.New(), cancellationToken);
        return opening.Lease is { } lease
            ? new SessionLease(session, lease, opening.Snapshot!, TimeProvider.System)
            : throw new SessionDestroyedException(SessionHandle.LogNameOf(session.GetPrimaryKeyString()), opening.EndReason);
    }

    /// <summary>Waits for a lease, and leaves the queue where that ends in any other way.</summary>
    internal static async Task<SessionOpening> AcquireAsync(
        this ISessionGrain session, SecretHash? secret, bool slide, SessionRequest request, CancellationToken cancellationToken)
    {
        // At once, and not with the next try: the place in the queue is somebody else's then.
        using var leaving = cancellationToken.UnsafeRegister(_ => session.ReleaseAsync(request.Id).Ignore(), null);
        try
        {
            return await session.RepeatAsync(
                request, again => session.AcquireAsync(secret, slide, again), TimeProvider.System, cancellationToken);
        }
        catch (Exception e)
        {
            // Whether it waits still or was given the lease meanwhile, nobody is here to have it.
            session.ReleaseAsync(request.Id).Ignore();
            if (e is SessionUnavailableException { MayBeApplied: true } unavailable)
            {
                throw Unchanged(unavailable, request.Patience);
            }

            throw;
        }
    }

    /// <inheritdoc cref="ISessionGrain.TakeAsync"/>
    public static Task<ReadOnlyMemory<byte>?> TakeAsync(this ISessionGrain session, string name)
    {
        ArgumentNullException.ThrowIfNull(session);
        PropertyName.BytesOf(name);
        return session.RetryAsync(SessionRequest.New(), request => session.TakeAsync(name, request));
    }

    /// <inheritdoc cref="ISessionGrain.CompareAndSetAsync"/>
    public static Task<bool> CompareAndSetAsync(
        this ISessionGrain session, string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value)
    {
        ArgumentNullException.ThrowIfNull(session);
        PropertyName.BytesOf(name);
        return session.RetryAsync(SessionRequest.New(), request => session.CompareAndSetAsync(name, expected, value, request));
    }

    /// <inheritdoc cref="ISessionGrain.GetOrSetAsync"/>
    public static Task<ReadOnlyMemory<byte>> GetOrSetAsync(this ISessionGrain session, string name, ReadOnlyMemory<byte> value)
    {
        ArgumentNullException.ThrowIfNull(session);
        PropertyName.BytesOf(name);
        return session.RetryAsync(SessionRequest.New(), request => session.GetOrSetAsync(name, value, request));
    }

    /// <inheritdoc cref="ISessionGrain.BindAsync"/>
    public static Task BindAsync(this ISessionGrain session, UserBinding user)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(user);
        return session.RetryAsync(SessionRequest.New(), request => session.BindAsync(user, request));
    }

    /// <inheritdoc cref="ISessionGrain.DestroyAsync"/>
    public static Task DestroyAsync(this ISessionGrain session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.RetryAsync(SessionRequest.New(), request => session.DestroyAsync(request));
    }

    /// <summary>
    /// Makes a mutating call, and makes it again under the same id while the silo that held the session is going away.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="request">The call's request; its <see cref="SessionRequest.Patience"/> bounds the tries.</param>
    /// <param name="call">The call, given the request as it is to be sent this time.</param>
    /// <exception cref="SessionUnavailableException">The session could not be reached within the request's patience.</exception>
    /// <exception cref="SessionLeaseTimeoutException">Somebody else had a lease for all of <c>LeaseWait</c>, or too many wait.</exception>
    public static Task<T> RetryAsync<T>(this ISessionGrain session, SessionRequest request, Func<SessionRequest, Task<T>> call) =>
        session.RepeatAsync(request, call, TimeProvider.System, CancellationToken.None);

    /// <inheritdoc cref="RetryAsync{T}(ISessionGrain, SessionRequest, Func{SessionRequest, Task{T}})"/>
    public static Task RetryAsync(this ISessionGrain session, SessionRequest request, Func<SessionRequest, Task> call) =>
        session.RetryAsync(request, async again =>
        {
            await call(again);
            return true;
        });

    /// <summary>Makes a call that changes nothing, and makes it again while the silo that held the session is going away.</summary>
    /// <exception cref="SessionUnavailableException">The session could not be reached within <paramref name="patience"/>.</exception>
    public static async Task<T> RetryAsync<T>(this ISessionGrain session, TimeSpan patience, Func<Task<T>> call)
    {
        try
        {
            return await session.RetryAsync(SessionRequest.New() with { Patience = patience }, _ => call());
        }
        catch (SessionUnavailableException e) when (e.MayBeApplied)
        {
            throw Unchanged(e, patience);
        }
    }

    // What refused the last try says more than that an earlier one got lost.
    private static SessionUnavailableException Unchanged(SessionUnavailableException e, TimeSpan patience) =>
        e.InnerException is SessionUnavailableException { Moved: false, MayBeApplied: false } refusal ? refusal
        : SessionUnavailableException.NotApplied(e.Session, $"no silo answered for it within {patience.TotalSeconds:0.#} s.", e);

    // The token ends the tries, not the call that is under way.
    internal static async Task<T> RepeatAsync<T>(
        this ISessionGrain session,
        SessionRequest request,
        Func<SessionRequest, Task<T>> call,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(call);
        var started = time.GetTimestamp();
        TimeSpan? sentAt = request.UnansweredFor > TimeSpan.Zero ? -request.UnansweredFor : null;
        // Waiting for somebody else's lease takes nothing from the patience with store and silos.
        var waited = TimeSpan.Zero;
        var isFirst = true;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Exception reason;
            var now = time.GetElapsedTime(started);
            try
            {
                var again = isFirst ? request : request with
                {
                    Patience = now - waited < request.Patience ? request.Patience - (now - waited) : TimeSpan.Zero,
                    UnansweredFor = sentAt is { } at ? now - at : TimeSpan.Zero,
                    WaitedFor = request.WaitedFor + waited,
                };
                isFirst = false;
                return await AnswerAsync(session, request.Id, call(again), time);
            }
            catch (SessionLeaseTimeoutException notYet) when (notYet.MayWaitOn)
            {
                waited += time.GetElapsedTime(started) - now;
                continue;
            }
            catch (SessionUnavailableException moved) when (moved.Moved)
            {
                sentAt = moved.MayBeApplied ? sentAt ?? now : sentAt;
                reason = moved;
            }
            catch (SessionUnavailableException e) when (sentAt is not null && !e.MayBeApplied)
            {
                throw e.AfterUnansweredTry();
            }
            catch (Exception e) when (IsLost(e))
            {
                // It may have been delivered before the silo went away: only the request id makes repeating it harmless.
                sentAt ??= now;
                reason = e;
            }

            if (time.GetElapsedTime(started) - waited >= request.Patience)
            {
                var name = SessionHandle.LogNameOf(session.GetPrimaryKeyString());
                var why = $"no silo answered for it within {request.Patience.TotalSeconds:0.#} s.";
                throw sentAt is null
                    ? SessionUnavailableException.NotApplied(name, why, reason)
                    : SessionUnavailableException.Unknown(name, why, reason);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>
    /// Waits for an answer, and asks after the call where none comes: what gets lost with a silo in the moment of its death Orleans misses
    /// after 30 s only. A call that the session has is waited for, since once it is sent again nobody can refuse it for certain.
    /// </summary>
    /// <exception cref="TimeoutException">The session does not have the call, or has had it for too long.</exception>
    private static async Task<T> AnswerAsync<T>(ISessionGrain session, RequestId call, Task<T> answer, TimeProvider time)
    {
        var sentAt = time.GetTimestamp();
        while (!answer.IsCompleted)
        {
            try
            {
                return await answer.WaitAsync(AskAfter, time);
            }
            catch (TimeoutException)
            {
                var isLost = time.GetElapsedTime(sentAt) >= GiveUpAfter || await IsLostAsync(session, call, time);
                if (isLost && !answer.IsCompleted)
                {
                    // Where its answer comes after all, nobody is here to see it.
                    answer.Ignore();
                    throw;
                }
            }
        }

        return await answer;
    }

    private static async Task<bool> IsLostAsync(ISessionGrain session, RequestId call, TimeProvider time)
    {
        try
        {
            return !await session.IsUnderWayAsync(call).AsTask().WaitAsync(AskAfter, time);
        }
        catch (Exception)
        {
            // Nobody can tell; an older silo does not even know the question.
            return false;
        }
    }

    /// <summary>
    /// Whether it is what Orleans throws while a silo stops, dies or does not answer. A call that could not be addressed to a silo in its
    /// time is cancelled.
    /// </summary>
    internal static bool IsLost(Exception e) =>
        e is OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException;
}
