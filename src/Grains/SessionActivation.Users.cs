namespace SessionActors;

/// <content>What the session has to do with its user's others.</content>
internal sealed partial class SessionActivation
{
    private TimeSpan _toldSeenAt = TimeSpan.MinValue / 2;

    /// <summary>Whose session it is, for whoever looks from outside of its turns; null where nobody's.</summary>
    public string? UserId => _writes?.Current.User?.Id;

    /// <summary>How long the session lives if nobody uses it.</summary>
    public TimeSpan KeptFor(PendingWrites writes)
    {
        var ttl = writes.Current.Ttl;
        return lifetime.KeepForAnyway(silo.Now, ttl, silo.Options.TouchIntervalOf(ttl));
    }

    /// <summary>Completes when readers see another state than now, or the session has ended or may have.</summary>
    public async Task ChangedAsync(PendingWrites writes, CancellationToken cancellationToken)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var end = Task.Delay(lifetime.Left(silo.Now, writes.Current.Ttl), silo.Time, left.Token);
        await Task.WhenAny(writes.Changed, _hasStopped.Task, end);
        await left.CancelAsync();
    }

    /// <summary>The user's sessions were ended together, this one perhaps among them.</summary>
    public async Task HearAsync(string userId, UserMark mark)
    {
        User.Learn(userId, mark, silo.Now);
        if (_writes is { } writes && EndedBy(writes) is SessionEndReason.Revoked)
        {
            await EndAsync(SessionEndReason.Revoked, SessionRequest.DefaultPatience);
        }
    }

    /// <summary>Ends the session, in memory or not, whoever owns it.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task EndAsync(SessionEndReason reason, TimeSpan patience)
    {
        BoundUser? user;
        try
        {
            user = await owner.DestroyAsync(reason, patience, asOwner: Loaded is not null);
        }
        catch (SessionUnavailableException e) when (e.MayBeApplied)
        {
            Stop(SessionUnavailableException.TakenOver(_session));
            throw;
        }

        if (_writes is null)
        {
            Unlist(user);
        }

        Stop(new SessionDestroyedException(_session, reason));
    }

    private void TellSeen(PendingWrites writes)
    {
        if (writes.Current.User is { IsUnlisted: false } user && silo.Now - _toldSeenAt >= silo.Options.TouchIntervalOf(writes.Current.Ttl))
        {
            _toldSeenAt = silo.Now;
            silo.Users.Of(user.Id).SeenAsync(handle, KeptFor(writes)).Ignore();
        }
    }

    // The list finds out by itself in the end.
    private void Unlist(BoundUser? user)
    {
        if (user is { IsUnlisted: false })
        {
            silo.Users.Of(user.Id).RemoveAsync(handle).Ignore();
        }
    }
}
