namespace SessionActors;

/// <summary>How a session in memory stands to the one in the store.</summary>
internal enum Validity
{
    /// <summary>It is owned here, and nobody else has changed it.</summary>
    Owned,

    /// <summary>Somebody else owns it and has not changed it.</summary>
    Unchanged,

    /// <summary>The store has an older state of what is owned here: it lost data.</summary>
    Behind,

    /// <summary>Somebody else has changed it.</summary>
    Changed,
}

/// <summary>Asks the store whether somebody else has changed a session.</summary>
internal static class SessionValidation
{
    /// <param name="owner">Asks.</param>
    /// <param name="session">The session, as logs name it.</param>
    /// <param name="readUnder">The nonce that it was read under.</param>
    /// <param name="writes">What is in memory.</param>
    /// <exception cref="SessionDestroyedException">The session has ended.</exception>
    /// <exception cref="SessionUnavailableException">The store does not answer, or another silo of this cluster has it.</exception>
    public static async Task<Validity> ValidateAsync(
        this SessionOwner owner, string session, OwnerNonce readUnder, ProjectedWrites writes)
    {
        var version = writes.Flushed.Version;
        var askedAt = owner.AskedAt;
        var reply = await owner.PeekAsync();
        if (reply.Outcome is StoreOutcome.Missing or StoreOutcome.Tombstone)
        {
            throw new SessionDestroyedException(session, reply.Reason);
        }

        if (reply.Mark is not { } mark)
        {
            throw SessionUnavailableException.NotApplied(
                session,
                owner.KnowsAll ? "the store alone knows whether somebody else has it now, and it is out of reach."
                    : owner.Guard is null
                    ? "its silo cannot prove that nobody else has changed it (ServingLease), and the store that knows is out of reach."
                    : "another cluster may have changed it, and the store that knows is out of reach.");
        }

        // A higher version under our own nonce is a flush of ours that is under way; a lower one is a store that lost data.
        if (mark.Owner == readUnder && mark.Version >= version)
        {
            owner.Confirm(askedAt);
            return Validity.Owned;
        }

        if (mark.Owner == readUnder && readUnder == owner.Nonce)
        {
            return Validity.Behind;
        }

        if (mark.Version == version || mark.Version == writes.Flushed.Version)
        {
            return Validity.Unchanged;
        }

        // A claim of ours that is under way is nobody else's.
        return !mark.Owner.IsOf(owner.Nonce) && owner.IsInOwnCluster(mark.OwnerName)
            ? throw SessionUnavailableException.TakenOver(session)
            : Validity.Changed;
    }
}
