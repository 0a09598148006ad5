namespace SessionActors;

/// <summary>
/// What has to be so before the writes of a session that wait may be flushed while other clusters write it too, or another silo may have
/// it.
/// </summary>
internal sealed class GuardedWrites(string session, SessionOwner owner, ProjectedWrites writes)
{
    // As long as a missing majority is asked again: sooner nobody could tell it from another cluster's guard.
    private static readonly TimeSpan LongestWait = RedlockGuard.NoMajorityPatience;

    /// <summary>Which writes were made under a lease that is lost.</summary>
    public required Func<PendingWrite, bool> HasLostLease { get; init; }

    /// <summary>Asks whether the session is still as it was read; null where it was written back just now.</summary>
    public required Func<Task<Validity?>> Validate { get; init; }

    /// <summary>Has the session read anew, and the writes applied to that.</summary>
    public required Action Refresh { get; init; }

    /// <summary>Lets go of the session.</summary>
    public required Action<SessionException> Stop { get; init; }

    /// <summary>
    /// Holds the guard for the writes that wait, or, where none of the next changes anything, asks whether that is still so. Returns how
    /// many may be flushed now. None: whoever waits no longer was told, or all have to be applied anew.
    /// </summary>
    public async Task<int> ReadyAsync()
    {
        try
        {
            // Whoever comes meanwhile may not rely on an answer that can be older.
            var next = writes.Waiting.Take(Flush.MaxEntries).ToList();
            if (!next.TrueForAll(write => write.IsNothingToStore))
            {
                return await IsHeldAsync() ? Flush.MaxEntries : 0;
            }

            if (next.Count == 0)
            {
                return 0;
            }

            var validity = await Validate();
            if (validity is Validity.Owned or Validity.Unchanged)
            {
                return Math.Min(next.Count, writes.Waiting.Count);
            }

            if (validity is not null)
            {
                Refresh();
            }
        }
        catch (SessionUnavailableException e) when (!e.Moved)
        {
            writes.Clear(e);
            writes.Rebase([], HasLostLease);
        }
        catch (SessionException e)
        {
            Stop(e);
        }

        return 0;
    }

    private async Task<bool> IsHeldAsync()
    {
        if (owner.Guard is not { } guard)
        {
            // The fence decides.
            return true;
        }

        // Not longer than the least patient of them: it leaves the queue then. And not all of that at once: readers who have found that the
        // session has changed wait behind this.
        var patience = LeaseTimes.Least(LongestWait, writes.Waiting.Min(write => write.PatienceLeft));
        var reply = await guard.EnterAsync(GuardUses.Write, patience);
        if (reply.Outcome == GuardOutcome.NoMajority)
        {
            throw reply.ToException(session);
        }

        foreach (var write in writes.Waiting.Where(write => write.IsOverdue && reply.Outcome == GuardOutcome.Busy))
        {
            write.Fail(reply.ToException(session));
        }

        return reply.Outcome == GuardOutcome.Held;
    }
}
