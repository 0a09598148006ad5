namespace SessionActors;

/// <content>How the session is given back or ended, and how whoever had it before hears of what was done without them.</content>
internal sealed partial class SessionOwner
{
    /// <summary>Ends the session, whoever owns it: a log-out must win. Returns whose it was.</summary>
    /// <param name="reason">Why, for whoever comes next.</param>
    /// <param name="patience">How long to ask the store.</param>
    /// <param name="asOwner">Whether to try as its owner first, since it is in memory: another owner comes out for certain then.</param>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<BoundUser?> DestroyAsync(SessionEndReason reason, TimeSpan patience, bool asOwner)
    {
        var until = silo.Now + patience;
        await LookedAtAsync();
        StoreReply? own = asOwner ? await SendAsync(Nonce) : null;
        var reply = own is { Outcome: not (StoreOutcome.Fenced or StoreOutcome.Missing or StoreOutcome.Tombstone) } answer
            ? answer
            : await SendAsync(owner: null);
        if (!reply.IsDone)
        {
            var failure = reply.ToException(session);
            throw own?.AfterUnknown is true ? failure.AfterUnansweredTry() : failure;
        }

        silo.Healing.Ends.Add(handle, reason);
        silo.Events?.Say(handle);
        if (!await silo.WarnAsync(storage, handle, reply.TakenFrom, PatienceLeft(), this))
        {
            throw SessionUnavailableException.Unknown(
                session, "it has ended, and the silo that had it in its memory could not be told: the store is out of reach.");
        }

        return reply.User;

        TimeSpan PatienceLeft() => until > silo.Now ? until - silo.Now : TimeSpan.Zero;

        Task<StoreReply> SendAsync(OwnerNonce? owner) => AskAsync(
            "end session", PatienceLeft(), () => storage.DestroyAsync(handle, reason, silo.Healing.Tombstone, owner));
    }

    /// <summary>
    /// Writes the tombstone of a session whose time is over, and returns what its callers are to be told; null where another cluster, which
    /// may have seen activity, owned it, and it was reclaimed.
    /// </summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<SessionException?> EndAsync(SessionEndReason reason, Func<Task>? reclaim = null)
    {
        await LookedAtAsync();
        var reply = await AskAsync(
            "end session",
            SessionRequest.DefaultPatience,
            () => storage.DestroyAsync(handle, reason, silo.Healing.Tombstone, Nonce));
        if (reply.Outcome == StoreOutcome.Fenced && reclaim is not null && !IsInOwnCluster(reply.OwnerName))
        {
            await reclaim();
            return null;
        }

        if (reply.IsDone)
        {
            silo.Healing.Ends.Add(handle, reason);
            silo.Events?.Say(handle);
        }

        return reply.Outcome switch
        {
            StoreOutcome.Written or StoreOutcome.Missing => new SessionDestroyedException(session, reason),
            StoreOutcome.Tombstone => new SessionDestroyedException(session, reply.Reason),
            StoreOutcome.Fenced => SessionUnavailableException.TakenOver(session),
            _ => throw NothingChanged(reply),
        };
    }

    /// <summary>Gives the session back to the store, which keeps it for what is left of its idle time-out.</summary>
    public async Task ReleaseAsync(SessionState state)
    {
        await silo.Releases.WaitAsync();
        try
        {
            await ReleaseNowAsync(state);
        }
        finally
        {
            silo.Releases.Release();
        }
    }

    private async Task ReleaseNowAsync(SessionState state)
    {
        // What another cluster has seen of the session may be younger by a touch interval.
        var keepFor = _guard is null
            ? lifetime.Left(silo.Now, state.Ttl)
            : lifetime.KeepForAnyway(silo.Now, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl));
        var reply = await storage.ReleaseAsync(handle, Nonce, keepFor);
        if (reply.Outcome is StoreOutcome.Unknown or StoreOutcome.Unsent or StoreOutcome.Refused)
        {
            GrainLog.NotReleased(silo.Logger, session, reply.Outcome);
        }
    }
}
