namespace SessionActors;

/// <content>What the session has to do with its user's others.</content>
internal sealed partial class SessionActivation
{
    // Shorter than the longest that a timer can be set to; who waits looks again then.
    private static readonly TimeSpan LongestLook = TimeSpan.FromDays(1);

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
        var end = Task.Delay(Least(lifetime.Left(silo.Now, writes.Current.Ttl), LongestLook), silo.Time, left.Token);
        _hasStopped ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_stopped is not null)
        {
            _hasStopped.TrySetResult();
        }

        await Task.WhenAny(writes.Changed, _hasStopped.Task, end);
        await left.CancelAsync();
    }

    /// <summary>The user's sessions were ended together, this one perhaps among them.</summary>
    public async Task HearAsync(string userId, UserMark mark)
    {
        Hide();
        User.Hear(userId, mark);
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
            Stop(SessionUnavailableException.TakenOver(session));
            throw;
        }

        if (_writes is null)
        {
            Unlist(user);
        }

        Stop(new SessionDestroyedException(session, reason));
    }

    private void TellSeen(PendingWrites writes)
    {
        if (writes.Current.User is not { } user || PlaceOf(user) is not var (listed, with))
        {
            return;
        }

        // What goes with another one and lives for days need not be told of every minute.
        var interval = user.IsUnlisted ? writes.Current.Ttl / 20 : silo.Options.TouchIntervalOf(writes.Current.Ttl);
        if (silo.Now - _toldSeenAt >= interval)
        {
            _toldSeenAt = silo.Now;
            silo.Users.Of(user.Id).SeenAsync(listed, KeptFor(writes) + interval, with).Ignore();
        }
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    // The list finds out by itself in the end.
    private void Unlist(BoundUser? user)
    {
        if (user is not null && PlaceOf(user) is var (listed, with))
        {
            silo.Users.Of(user.Id).RemoveAsync(listed, with).Ignore();
        }
    }

    // The session that the list knows, and this one where it only goes with that; null where the list knows nothing of it.
    private (SessionHandle Listed, SessionHandle? With)? PlaceOf(BoundUser user) =>
        user.With is { } other ? (SessionHandle.Parse(other), handle) : user.IsUnlisted ? null : (handle, null);
}
