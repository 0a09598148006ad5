namespace SessionActors;

/// <summary>
/// What an activation has in memory of its session: nothing yet, the session itself, or why it let go of it. Loads it, notices its end,
/// keeps the store informed that it goes on.
/// </summary>
internal sealed partial class SessionActivation(
    SessionHandle handle, string session, SessionOwner owner, SessionLifetime lifetime, SessionSilo silo, SessionGrain grain)
{
    private PendingWrites? _writes;
    private Task? _starting;
    private Task _left = Task.CompletedTask;
    private TaskCompletionSource? _hasStopped;
    private SessionException? _stopped;

    private FreshReads? _fresh;

    /// <summary>
    /// The session if it is in memory, has not ended, nobody else can have changed it, and the store is not about to drop it.
    /// </summary>
    public PendingWrites? AtHand =>
        owner.KnowsAll && lifetime.IsKept && Loaded is { } writes && (writes.Current.User is not { } user || User.IsKnown(user))
            ? writes : null;

    /// <summary>Whether its user has ended it.</summary>
    public UserStanding User => field ??= new UserStanding(handle, silo);

    /// <summary>Whether Orleans lets it go.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Whether nothing of the session is in memory, nor on its way here.</summary>
    public bool HasNothing => _writes is null && _starting is null;

    /// <summary>The session if it is in memory and has not ended.</summary>
    public PendingWrites? Loaded => _writes is { } writes && EndedBy(writes) is null ? writes : null;

    /// <summary>The session in memory, loaded if need be; throws where it has ended.</summary>
    public async ValueTask<PendingWrites> LoadedAsync()
    {
        while (true)
        {
            if (_stopped is not null)
            {
                throw _stopped;
            }

            if (_writes is not { } writes)
            {
                await StartOnceAsync(owner.ClaimAsync);
            }
            else if (EndedBy(writes) is SessionEndReason.Revoked)
            {
                await EndAsync(SessionEndReason.Revoked, SessionRequest.DefaultPatience);
            }
            else if (EndedBy(writes) is { } reason)
            {
                if (await owner.EndAsync(reason, ReclaimOf(writes)) is { } end)
                {
                    Stop(end);
                }
            }
            else if (writes.Current.User is { } user && !User.IsKnown(user))
            {
                await User.LookUpAsync(user);
            }
            else
            {
                return writes;
            }
        }
    }

    /// <summary>The same, with all that anybody else has stored before the call.</summary>
    public ValueTask<PendingWrites> FreshAsync() => owner.KnowsAll ? LoadedAsync() : new(AskedAsync());

    /// <summary>The same, and the store is asked though nobody else is known to write the session.</summary>
    public Task<PendingWrites> AskedAsync() => (_fresh ??= new FreshReads(this)).LoadedAsync();

    /// <summary>The session if it is there and can be had.</summary>
    public async ValueTask<PendingWrites?> FreshOrNullAsync()
    {
        try
        {
            return await FreshAsync();
        }
        catch (SessionException)
        {
            return null;
        }
    }

    /// <summary>Creates the session, unless it is in memory or has ended already; then loads it.</summary>
    public async Task<PendingWrites> CreatedAsync(
        SessionState state, SessionDelta delta, NewSession asked, SessionRequest request)
    {
        if (_starting is { } looking)
        {
            // Whoever came first only looks whether the session is there.
            await Task.WhenAny(looking);
        }

        if (_stopped is SessionDestroyedException { Reason: SessionEndReason.Missing })
        {
            // It was not there for them, which says nothing about this create: a fresh activation begins with it.
            throw SessionUnavailableException.TakenOver(session);
        }

        if (_writes is null && _stopped is null)
        {
            var until = silo.Now + request.Patience;
            await StartOnceAsync(() => owner.Guard is { } guard
                ? guard.WithinAsync(request.Patience, () => owner.CreateAsync(
                    state, delta, asked, request with { Patience = until > silo.Now ? until - silo.Now : TimeSpan.Zero }))
                : owner.CreateAsync(state, delta, asked, request));
        }

        return await LoadedAsync();
    }

    /// <summary>When nothing waits any more: gives the session back to the store, or ends it there if it has ended.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        IsLeaving = true;
        Hide();
        if (_starting is not null)
        {
            // What a claim reads that is still under way is somebody else's by the time it is there.
            Stop(SessionUnavailableException.TakenOver(session));
        }

        if (_writes is { } writes)
        {
            writes.TurnAway();
            try
            {
                await writes.StoredAsync().WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (writes.HasUnstored)
            {
                // Orleans goes on without this activation, which is found in LiveSessions until it has stored what it owes.
                Stop(SessionUnavailableException.TakenOver(session));
                throw;
            }

            if (owner.Guard is not null)
            {
                await Task.WhenAll(owner.Guard.Released, owner.LeaseGuard!.Released).WaitAsync(cancellationToken);
            }

            if (_writes is not null)
            {
                // What runs in the background is over, too, and a call that has not got to writing yet goes to whoever has it next.
                Stop(SessionUnavailableException.TakenOver(session));
                await (EndedBy(writes) is { } reason ? owner.EndAsync(reason) : owner.ReleaseAsync(writes.Flushed));
            }
        }

        await _left.WaitAsync(cancellationToken);
    }

    /// <summary>Has all that is acknowledged stored at once.</summary>
    public Task StoredAsync() => _writes?.StoredAsync() ?? _left;

    /// <summary>Stores what is acknowledged and lets go of the session, because somebody else is to have it.</summary>
    /// <param name="claimant">Who is, where that is in this silo.</param>
    public async Task HandOverAsync(SessionOwner? claimant = null)
    {
        if (owner != claimant)
        {
            Stop(SessionUnavailableException.TakenOver(session));
            await _left;
        }
    }

    /// <summary>
    /// Lets go of the session, because it has ended or somebody else has it. Until this activation is gone it answers everything that way.
    /// </summary>
    public void Stop(SessionException why)
    {
        if (_stopped is not null)
        {
            return;
        }

        _stopped = why;
        Hide();
        _hasStopped?.TrySetResult();
        var writes = _writes;
        _writes = null;
        writes?.Stop(why);
        if (why is SessionDestroyedException { Reason: not SessionEndReason.Missing } ended)
        {
            silo.Metrics.OnEnded(ended.Reason);
            GrainLog.Ended(silo.Logger, session, ended.Reason);
            Unlist(writes?.Current.User);
        }

        if (writes?.HasUnstored is true)
        {
            _left = StoreAndLeaveAsync(writes);
            _left.Ignore();
        }
        else
        {
            Forget();
            grain.Leave();
        }
    }

    private async Task StoreAndLeaveAsync(PendingWrites writes)
    {
        await writes.StoredAsync();
        await owner.ReleaseAsync(writes.Flushed);
        Forget();
        grain.Leave();
    }

    private void Forget()
    {
        Hide();
        _writes = null;
        silo.Live.Remove(handle, this);
    }

    // Where another cluster owns the session, which callers here cannot be sent to.
    private Func<Task>? ReclaimOf(PendingWrites writes) => owner.Guard is null ? null : writes.RefreshAsync;

    private SessionEndReason? EndedBy(PendingWrites writes)
    {
        if (writes.Current.User is { } user && User.HasEnded(user))
        {
            return SessionEndReason.Revoked;
        }

        var ttl = writes.Current.Ttl;
        // Another cluster tells the store once per touch interval that it sees activity, and nobody else.
        var unseen = owner.Guard is null ? TimeSpan.Zero : silo.Options.TouchIntervalOf(ttl);
        return lifetime.EndedBy(silo.Now, ttl + unseen, isWritten: !writes.IsIdle);
    }

    /// <summary>Joins the claim or create that is under way, or begins one. A session that has ended stops the activation.</summary>
    private async Task StartOnceAsync(Func<Task<LoadedSession>> load)
    {
        var isJoined = _starting is not null;
        var starting = _starting ??= StartAsync(load);
        try
        {
            await starting;
        }
        catch (SessionUnavailableException e) when (isJoined && !e.MayBeApplied)
        {
            // That was somebody else's patience; whoever came later has some left.
            throw SessionUnavailableException.TakenOver(session);
        }
        finally
        {
            if (_starting == starting)
            {
                _starting = null;
            }
        }
    }

    private async Task StartAsync(Func<Task<LoadedSession>> load)
    {
        try
        {
            var loaded = await load();
            // A destroy may have won meanwhile.
            if (_stopped is null)
            {
                _writes = new PendingWrites(session, owner, silo, loaded, Stop);
                silo.Live.Add(handle, this);
            }
        }
        catch (SessionDestroyedException e)
        {
            Stop(e);
        }
        catch (SessionException)
        {
            // Nothing is in memory: this activation has no reason to stay, and the same call sent again finds a fresh one.
            grain.Leave();
            throw;
        }
    }
}
