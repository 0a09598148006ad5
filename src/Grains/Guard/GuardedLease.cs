namespace SessionActors;

/// <summary>What has to be so before a lease may be granted while other clusters use the session too.</summary>
internal static class GuardedLease
{
    /// <summary>
    /// Holds the guard for a lease, and makes sure that the session is this cluster's own, with all that the others have stored. False
    /// where another cluster has it for longer.
    /// </summary>
    /// <param name="guard">The guard.</param>
    /// <param name="session">The session, as logs name it.</param>
    /// <param name="writes">The session.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="lost">What happens when the guard is lost.</param>
    /// <param name="giveUp">What to do where there is no use in waiting.</param>
    /// <exception cref="SessionException">The masters or the store are out of reach, or the session has ended.</exception>
    public static async Task<bool> HoldForLeaseAsync(
        this SessionGuard guard, string session, PendingWrites writes, TimeSpan patience, Action lost, Action<SessionException> giveUp)
    {
        guard.OnLost = lost;
        var reply = await guard.EnterAsync(GuardUses.Lease, patience);
        try
        {
            if (reply.Outcome == GuardOutcome.NoMajority)
            {
                throw reply.ToException(session);
            }

            if (reply.Outcome == GuardOutcome.Held)
            {
                await writes.ValidateAsync(mustOwn: true);
            }

            return guard.IsHeld;
        }
        catch (SessionException e)
        {
            giveUp(e);
            throw;
        }
    }
}
