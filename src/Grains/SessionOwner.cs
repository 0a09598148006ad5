namespace SessionActors;

/// <summary>
/// This activation's hold on its session in the store: the nonce that fences every other writer off, how it is claimed and how it is given
/// back.
/// </summary>
internal sealed class SessionOwner(SessionHandle handle, ISessionStorage storage, SessionSilo silo)
{
    private readonly string _session = handle.LogName;

    /// <summary>The nonce of the last claim; before the first one, the nonce that a create would own the session with.</summary>
    public OwnerNonce Nonce { get; private set; } = OwnerNonce.New();

    /// <summary>Draws a new nonce and claims the session with it.</summary>
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
            // Claiming changes no property, so whoever waits for it is told that nothing was changed.
            _ => throw SessionUnavailableException.NotApplied(_session, "the store is out of reach.", reply.Error),
        };
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

    /// <summary>Whether another owner belongs to this cluster, whose directory then knows the way to it.</summary>
    public bool IsInOwnCluster(string? ownerName) => ownerName is not null && ownerName.StartsWith(silo.ClusterPrefix, StringComparison.Ordinal);
}
