namespace SessionActors;

/// <summary>
/// Group commit for one session. An operation is applied at once to the <i>projected</i> state and waits; readers see the <i>flushed</i>
/// state only. One flush is under way at a time; what arrives meanwhile leaves together in the next. Each caller is released by the flush
/// that holds its delta.
/// <para>
/// Runs in the turns of its grain and awaits nothing but the store. After every await the world is looked at again.
/// </para>
/// </summary>
internal sealed class PendingWrites(
    string session, SessionOwner owner, SessionSilo silo, LoadedSession loaded, Action<SessionException> stopped)
{
    private readonly ProjectedWrites _writes = new(session, silo, loaded);
    private readonly ReloadPauses _reloads = new(silo.Time);
    private long _epoch = loaded.Epoch;
    private OwnerNonce _nonce = owner.Nonce;
    private Task _pump = Task.CompletedTask;
    private GuardedWrites? _guarded;
    private TaskCompletionSource? _refresh;
    private bool _isClaimedBack;
    private SessionLeases? _leases;
    private SessionException? _stopped;

    /// <summary>What readers see: the last state that the store has confirmed.</summary>
    public SessionState Flushed => _writes.Flushed;

    /// <summary>Whether no flush is under way.</summary>
    public bool IsIdle => _pump.IsCompleted;

    /// <summary>Completes when nothing waits any more.</summary>
    public Task Drained => _pump;

    /// <summary>Exclusive access to the session.</summary>
    public SessionLeases Leases => _leases ??= new SessionLeases(session, this, silo, _epoch, owner.LeaseGuard);

    /// <summary>Whether a call with this id was applied to the flushed state, as far as the ring reaches.</summary>
    public bool Knows(RequestId id) => _writes.AnswerTo(id) is not null;

    /// <summary>Whether an earlier try of the call is stored or about to be, or may be as far as anybody can tell.</summary>
    public bool MayHave(SessionRequest request) =>
        Knows(request.Id) || _writes.Find(request.Id) is not null || _writes.MayHaveForgotten(PendingWrite.SinceOf(request, silo.Now));

    /// <summary>Sends those who wait for a lease to whoever has the session next.</summary>
    public void TurnAway() => _leases?.Close(SessionUnavailableException.TakenOver(session));

    /// <summary>Applies an operation when no lease of somebody else is in the way, and completes when it is stored.</summary>
    public Task<Applied> WriteAsync(SessionRequest request, Func<SessionState, Change> operation) =>
        _leases is { } leases ? leases.WriteAsync(request, operation) : AddAsync(request, operation);

    /// <summary>Applies an operation and completes when it is stored. The same id is applied once.</summary>
    public Task<Applied> AddAsync(SessionRequest request, Func<SessionState, Change> operation)
    {
        if (_stopped is not null)
        {
            throw _stopped;
        }

        if (_writes.AnswerTo(request.Id) is { } answer)
        {
            return Task.FromResult(answer);
        }

        if (_writes.Find(request.Id) is { } same)
        {
            return same.Task;
        }

        var write = new PendingWrite(request, silo, operation);
        if (_writes.MayHaveForgotten(write.UnansweredSince))
        {
            throw ProjectedWrites.Untold(session);
        }

        if (HasLostLease(write))
        {
            throw new SessionLeaseLostException(session);
        }

        if (_writes.Waiting.Count >= silo.Options.MaxWaiters)
        {
            throw SessionUnavailableException.NotApplied(
                session, $"{_writes.Waiting.Count} calls wait for the store already (MaxWaiters = {silo.Options.MaxWaiters}).");
        }

        _writes.Project(write);
        // Where somebody else may have changed something, even "nothing to do" has to be asked for.
        if (write.IsNoChange && IsIdle && owner.KnowsAll)
        {
            return Task.FromResult(new Applied(Flushed.Version, write.Entry.Result));
        }

        _writes.Add(write);
        write.Queued();
        if (IsIdle)
        {
            _pump = PumpAsync();
        }

        return write.Task;
    }

    /// <summary>Refuses everything that waits and everything that comes. A flush that is under way still gets its own answer.</summary>
    public void Stop(SessionException why)
    {
        if (_stopped is null)
        {
            _stopped = why;
            _writes.Clear(why);
            _leases?.Close(why);
            stopped(why);
        }
    }

    private async Task PumpAsync()
    {
        while (_writes.Waiting.Count > 0 || _refresh is not null)
        {
            (_isClaimedBack, var refresh) = (false, _refresh);
            try
            {
                _writes.DropOverdue();
                if (refresh is not null)
                {
                    _refresh = null;
                    await ReloadAsync([]);
                    refresh.TrySetResult();
                }
                else if (await ReadyAsync() is > 0 and var ready)
                {
                    await FlushAsync(_writes.TakeBatch(ready));
                }
            }
            catch (Exception e)
            {
                GrainLog.Failed(silo.Logger, session, e);
                Abandon(_writes.InFlight, SessionUnavailableException.Unknown(session, "writing it failed."));
                refresh?.TrySetResult();
            }

            _writes.BatchIsOver();
            if (!_isClaimedBack || _writes.Waiting.Count == 0)
            {
                owner.Guard?.Leave(GuardUses.Write);
            }
        }
    }

    /// <summary>Reads the session anew, for those who found that somebody else has changed it.</summary>
    public Task RefreshAsync()
    {
        var refresh = WantRefresh().Task;
        _pump = IsIdle ? PumpAsync() : _pump;
        return refresh;
    }

    /// <summary>Reads the session anew where somebody else has changed it since it was read.</summary>
    /// <param name="mustOwn">Whether to claim it also where another cluster only owns it.</param>
    /// <exception cref="SessionException">It has ended, is out of reach, or another silo of this cluster has it.</exception>
    public async Task ValidateAsync(bool mustOwn = false)
    {
        try
        {
            var validity = await owner.ValidateAsync(session, _nonce, _writes);
            silo.Metrics.OnValidated(validity == Validity.Changed);
            if (validity == Validity.Changed || (mustOwn && validity == Validity.Unchanged))
            {
                await RefreshAsync();
            }
        }
        catch (SessionException e) when (e is not SessionUnavailableException { Moved: false })
        {
            Stop(e);
        }

        if (_stopped is not null)
        {
            throw _stopped;
        }
    }

    /// <summary>How many of those that wait may be flushed now.</summary>
    private ValueTask<int> ReadyAsync() => owner.KnowsAll ? new(Flush.MaxEntries) : new(
        (_guarded ??= new GuardedWrites(session, owner, _writes)).ReadyAsync(_nonce, HasLostLease, () => WantRefresh(), Stop));

    private TaskCompletionSource WantRefresh() => _refresh ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task FlushAsync(List<PendingWrite> batch)
    {
        if (batch.TrueForAll(write => write.IsNoChange))
        {
            _writes.Release(batch);
            return;
        }

        var sentAt = silo.Now;
        var reply = await owner.CommitAsync(Flushed, batch, () => TellTheOverdue(batch));
        if (reply.AfterUnknown)
        {
            batch.ForEach(write => write.WentUnanswered(sentAt));
        }

        switch (reply.Outcome)
        {
            case StoreOutcome.Written or StoreOutcome.AlreadyWritten:
                _reloads.Reset();
                silo.Metrics.OnFlushed(batch.Count);
                _writes.Release(batch);
                break;
            case StoreOutcome.Missing or StoreOutcome.Tombstone:
                Abandon(batch, new SessionDestroyedException(session, reply.Reason));
                break;
            case StoreOutcome.Fenced when owner.IsInOwnCluster(reply.OwnerName):
                silo.Metrics.OnFenced(sameCluster: true);
                GrainLog.TakenOver(silo.Logger, session, reply.OwnerName);
                Abandon(batch, SessionUnavailableException.TakenOver(session));
                break;
            case StoreOutcome.Fenced:
                silo.Metrics.OnFenced(sameCluster: false);
                owner.Guard?.SawRival();
                GrainLog.Reloading(silo.Logger, session, reply.OwnerName, batch.Count + _writes.Waiting.Count);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Behind or StoreOutcome.Ahead:
                GrainLog.VersionsDiffer(silo.Logger, session, Flushed.Version, reply.Outcome);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Unknown:
                silo.Metrics.OnUnknown();
                GrainLog.Unknown(silo.Logger, session, batch.Count, reply.Error);
                Abandon(batch, reply.ToException(session));
                break;
            default:
                // Certainly not written, so what is in memory still holds: only these callers fail, and what they would have changed goes.
                GrainLog.NotWritten(silo.Logger, session, batch.Count, reply.Error);
                PendingWrite.FailAll(batch, reply.ToException(session));
                _writes.Rebase([], HasLostLease);
                break;
        }
    }

    /// <summary>Before a try: nobody waits past the deadline because others in the same flush, or before it, have more patience.</summary>
    private void TellTheOverdue(List<PendingWrite> batch)
    {
        PendingWrite.FailAll(
            batch.Where(write => write.IsOverdue), SessionUnavailableException.Unknown(session, "the store did not answer in time."));

        // These leave the queue unsent when the flush before them is over.
        PendingWrite.FailAll(_writes.Waiting.Where(write => write.IsOverdue), ProjectedWrites.TooSlow(session));
    }

    /// <summary>Claims the session back and applies what is pending to what is there now, in order, each change once.</summary>
    private async Task ReloadAsync(List<PendingWrite> batch)
    {
        if (_stopped is not null || (batch.Count > 0 && _reloads.AreExhausted))
        {
            Abandon(batch, _stopped ?? SessionUnavailableException.NotApplied(
                session, $"another cluster claimed it {ReloadPauses.Most} times while it was to be written."));
            return;
        }

        try
        {
            if (batch.Count > 0)
            {
                silo.Metrics.OnReloaded();
                await _reloads.NextAsync();
            }

            var claimed = await owner.ClaimAsync();
            _epoch = _stopped is null ? claimed.Epoch : throw _stopped;
            (_nonce, _isClaimedBack) = (owner.Nonce, true);
            _leases?.Lose(_epoch, unchanged: claimed.State.Version == Flushed.Version);
            _writes.Rebase(batch, HasLostLease, claimed);
            _leases?.Pass();
        }
        catch (SessionException e)
        {
            Abandon(batch, e);
        }
    }

    private bool HasLostLease(PendingWrite write) => write.Lease is { } lease && _leases?.IsHeldBy(lease) is not true;

    private void Abandon(List<PendingWrite> batch, SessionException why)
    {
        PendingWrite.FailAll(batch, why);
        // Those who only waited behind the batch may be told to come again: nothing of theirs was sent.
        Stop(why is SessionUnavailableException ? SessionUnavailableException.TakenOver(session) : why);
    }
}
