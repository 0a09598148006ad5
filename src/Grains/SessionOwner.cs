namespace SessionActors;

/// <summary>
/// This activation's hold on its session in the store: the nonce that fences every other writer off, how it is won, kept, given back and
/// ended. Each step is sent until the store answers; what the answer means for the callers is said by exceptions.
/// </summary>
internal sealed class SessionOwner(SessionHandle handle, ISessionStorage storage, SessionSilo silo)
{
    private readonly string _session = handle.LogName;

    /// <summary>The nonce of the last claim; before the first one, the nonce that a create owns the session with.</summary>
    public OwnerNonce Nonce { get; private set; } = OwnerNonce.New();

    /// <summary>Creates the session. False where it is there already: by an earlier try of this very call, or by somebody else.</summary>
    /// <exception cref="SessionDestroyedException">A session with this handle has ended.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<bool> CreateAsync(Flush flush, SecretHash? secret, TimeSpan patience)
    {
        var creation = new Creation
        {
            OwnerName = silo.Name,
            Secret = secret,
            AbsoluteLifetime = silo.Options.AbsoluteLifetime,
            StartedAt = silo.Time.GetTimestamp(),
        };
        var reply = await StoreRetry.UntilAnsweredAsync(silo.Time, patience, () => storage.CreateAsync(handle, creation, flush));
        return reply.Outcome switch
        {
            StoreOutcome.Written => true,
            StoreOutcome.AlreadyWritten or StoreOutcome.Exists => false,
            StoreOutcome.Tombstone => throw new SessionDestroyedException(_session, reply.Reason),
            _ => throw reply.ToException(_session),
        };
    }

    /// <summary>Draws a new nonce, claims the session with it and reads it.</summary>
    /// <exception cref="SessionDestroyedException">There is nothing to claim.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<StoredSession> ClaimAsync()
    {
        var nonce = Nonce = OwnerNonce.New();
        var reply = await StoreRetry.UntilAnsweredAsync(
            silo.Time,
            SessionRequest.DefaultPatience,
            () => storage.ClaimAsync(handle, nonce, silo.Name, silo.Options.StoredTombstone));
        return reply.Outcome switch
        {
            StoreOutcome.Written or StoreOutcome.AlreadyWritten => reply.Session!,
            StoreOutcome.Missing => throw new SessionDestroyedException(_session, SessionEndReason.Missing),
            StoreOutcome.Tombstone or StoreOutcome.Expired => throw new SessionDestroyedException(_session, reply.Reason),
            _ => throw NothingChanged(reply),
        };
    }

    /// <summary>Renews the session in the store. True when that is done; false when nobody knows or a flush overtook it.</summary>
    /// <exception cref="SessionDestroyedException">The session has ended.</exception>
    /// <exception cref="SessionUnavailableException">Somebody else owns it.</exception>
    public async Task<bool> TouchAsync(long version, TimeSpan keepFor)
    {
        var reply = await storage.TouchAsync(handle, Nonce, version, keepFor);
        switch (reply.Outcome)
        {
            case StoreOutcome.Written:
                silo.Metrics.OnTouched();
                return true;
            case StoreOutcome.Missing or StoreOutcome.Tombstone:
                throw new SessionDestroyedException(_session, reply.Reason);
            case StoreOutcome.Fenced:
                GrainLog.TakenOver(silo.Logger, _session, reply.OwnerName);
                throw SessionUnavailableException.TakenOver(_session);
            default:
                return false;
        }
    }

    /// <summary>Gives the session back to the store, which keeps it for what is left of its idle time-out.</summary>
    public async Task ReleaseAsync(TimeSpan left)
    {
        var reply = await storage.ReleaseAsync(handle, Nonce, left);
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
    public bool IsInOwnCluster(string? ownerName) => ownerName is not null && ownerName.StartsWith(silo.ClusterPrefix, StringComparison.Ordinal);

    // No property changes in these steps, so even without an answer the caller's own change was certainly not made.
    private SessionUnavailableException NothingChanged(StoreReply reply) =>
        SessionUnavailableException.NotApplied(_session, "the store is out of reach.", reply.Error);
}
