namespace SessionActors;

/// <summary>
/// This activation's hold on its session in the store: the nonce that fences every other writer off, how it is won, kept, given back and
/// ended. Each step is sent until the store answers; what the answer means for the callers is said by exceptions. Knows the session's
/// lifetime, because every step tells or asks the store how long to keep the session.
/// </summary>
internal sealed class SessionOwner(SessionHandle handle, ISessionStorage storage, SessionLifetime lifetime, SessionSilo silo)
{
    private readonly string _session = handle.LogName;
    private bool _touching;

    /// <summary>The nonce of the last claim; before the first one, the nonce that a create owns the session with.</summary>
    public OwnerNonce Nonce { get; private set; } = OwnerNonce.New();

    /// <summary>
    /// Creates the session, or claims it where it is there already: by an earlier try of this very call, or by somebody else.
    /// </summary>
    /// <exception cref="SessionDestroyedException">A session with this handle has ended.</exception>
    /// <exception cref="SessionLimitExceededException">Its first properties exceed a limit; nothing was sent.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<LoadedSession> CreateAsync(NewSession session, SessionRequest request)
    {
        var empty = SessionState.Empty(silo.Options.Ttl, session.Secret);
        var delta = empty.Effective(session.Delta);
        var state = empty.Apply(new Change(delta), silo.Options, _session);
        var creation = new Creation
        {
            OwnerName = silo.Name,
            Secret = session.Secret,
            AbsoluteLifetime = silo.Options.AbsoluteLifetime,
            StartedAt = silo.Time.GetTimestamp(),
        };
        var sentAt = silo.Now;
        lifetime.Start(sentAt, state.Ttl, state.Ttl, creation.AbsoluteLifetime);
        var keepFor = lifetime.KeepForAnyway(sentAt, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl));
        var first = new RingEntry(request.Id, "");
        var flush = new Flush { Owner = Nonce, FromVersion = 0, Entries = [first], Delta = delta, KeepFor = keepFor };
        var reply = await StoreRetry.UntilAnsweredAsync(
            silo.Time, request.Patience, () => storage.CreateAsync(handle, creation, flush));
        switch (reply.Outcome)
        {
            case StoreOutcome.Written:
                lifetime.Kept(sentAt, keepFor);
                var ring = new RequestRing();
                ring.Add(state.Version, first, silo.Now);
                return new LoadedSession(state, ring);
            case StoreOutcome.AlreadyWritten or StoreOutcome.Exists:
                return await ClaimAsync();
            case StoreOutcome.Tombstone:
                throw new SessionDestroyedException(_session, reply.Reason);
            default:
                throw reply.ToException(_session);
        }
    }

    /// <summary>Draws a new nonce, claims the session with it and reads it.</summary>
    /// <exception cref="SessionDestroyedException">There is nothing to claim.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<LoadedSession> ClaimAsync()
    {
        var nonce = Nonce = OwnerNonce.New();
        var reply = await StoreRetry.UntilAnsweredAsync(
            silo.Time,
            SessionRequest.DefaultPatience,
            () => storage.ClaimAsync(handle, nonce, silo.Name, silo.Options.StoredTombstone));
        switch (reply.Outcome)
        {
            case StoreOutcome.Written or StoreOutcome.AlreadyWritten:
                var stored = reply.Session!;
                var state = SessionState.From(stored, silo.Options.Ttl);
                lifetime.Start(silo.Now, state.Ttl, stored.KeptFor, stored.LifetimeLeft);
                return new LoadedSession(state, new RequestRing(stored, silo.Now));
            case StoreOutcome.Missing:
                throw new SessionDestroyedException(_session, SessionEndReason.Missing);
            case StoreOutcome.Tombstone or StoreOutcome.Expired:
                throw new SessionDestroyedException(_session, reply.Reason);
            default:
                throw NothingChanged(reply);
        }
    }

    /// <summary>
    /// Renews the session in the store, if that is due. Where nobody answers, or a flush overtakes it, the next call tries again.
    /// </summary>
    /// <exception cref="SessionDestroyedException">The session has ended.</exception>
    /// <exception cref="SessionUnavailableException">Somebody else owns it.</exception>
    public Task TouchIfDueAsync(SessionState state) =>
        !_touching && lifetime.KeepFor(silo.Now, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl)) is { } keepFor
            ? TouchAsync(state.Version, keepFor)
            : Task.CompletedTask;

    /// <summary>Gives the session back to the store, which keeps it for what is left of its idle time-out.</summary>
    public async Task ReleaseAsync(SessionState state)
    {
        var reply = await storage.ReleaseAsync(handle, Nonce, lifetime.Left(silo.Now, state.Ttl));
        if (reply.Outcome is StoreOutcome.Unknown or StoreOutcome.Unsent or StoreOutcome.Refused)
        {
            GrainLog.NotReleased(silo.Logger, _session, reply.Outcome);
        }
    }

    /// <summary>Ends the session, whoever owns it: a log-out must win.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task DestroyAsync(TimeSpan patience)
    {
        var reply = await StoreRetry.UntilAnsweredAsync(
            silo.Time, patience, () => storage.DestroyAsync(handle, SessionEndReason.Destroyed, silo.Options.StoredTombstone));
        if (!reply.IsDone)
        {
            throw reply.ToException(_session);
        }
    }

    /// <summary>Writes the tombstone of a session whose time is over, and returns what its callers are to be told.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<SessionException> EndAsync(SessionEndReason reason)
    {
        var reply = await StoreRetry.UntilAnsweredAsync(
            silo.Time,
            SessionRequest.DefaultPatience,
            () => storage.DestroyAsync(handle, reason, silo.Options.StoredTombstone, Nonce));
        return reply.Outcome switch
        {
            StoreOutcome.Written or StoreOutcome.Missing => new SessionDestroyedException(_session, reason),
            StoreOutcome.Tombstone => new SessionDestroyedException(_session, reply.Reason),
            StoreOutcome.Fenced => SessionUnavailableException.TakenOver(_session),
            _ => throw NothingChanged(reply),
        };
    }

    /// <summary>Whether another owner belongs to this cluster, whose directory then knows the way to it.</summary>
    public bool IsInOwnCluster(string? ownerName) =>
        ownerName is not null && ownerName.StartsWith(silo.ClusterPrefix, StringComparison.Ordinal);

    private async Task TouchAsync(long version, TimeSpan keepFor)
    {
        _touching = true;
        try
        {
            var (nonce, sentAt) = (Nonce, silo.Now);
            var reply = await storage.TouchAsync(handle, nonce, version, keepFor);
            switch (reply.Outcome)
            {
                case StoreOutcome.Written:
                    silo.Metrics.OnTouched();
                    lifetime.Kept(sentAt, keepFor);
                    break;
                case StoreOutcome.Missing or StoreOutcome.Tombstone:
                    throw new SessionDestroyedException(_session, reply.Reason);
                // Unless a flush has claimed the session back meanwhile.
                case StoreOutcome.Fenced when nonce == Nonce:
                    GrainLog.TakenOver(silo.Logger, _session, reply.OwnerName);
                    throw SessionUnavailableException.TakenOver(_session);
            }
        }
        finally
        {
            _touching = false;
        }
    }

    // No property changes in these steps, so even without an answer the caller's own change was certainly not made.
    private SessionUnavailableException NothingChanged(StoreReply reply)
    {
        GrainLog.NotWritten(silo.Logger, _session, 0, reply.Error);
        return SessionUnavailableException.NotApplied(_session, "the store is out of reach.");
    }
}

/// <summary>A session as it was when this activation came to own it.</summary>
internal sealed record LoadedSession(SessionState State, RequestRing Ring);
