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
    private readonly Queue<PendingWrite> _waiting = new();
    private readonly ReloadPauses _reloads = new(silo.Time);
    private RequestRing _ring = loaded.Ring;
    private SessionState _projected = loaded.State;
    private List<PendingWrite> _inFlight = [];
    private Task _pump = Task.CompletedTask;
    private SessionLeases? _leases;
    private SessionException? _stopped;

    /// <summary>What readers see: the last state that the store has confirmed.</summary>
    public SessionState Flushed { get; private set; } = loaded.State;

    /// <summary>Whether no flush is under way.</summary>
    public bool IsIdle => _pump.IsCompleted;

    /// <summary>Completes when nothing waits any more.</summary>
    public Task Drained => _pump;

    /// <summary>Exclusive access to the session.</summary>
    public SessionLeases Leases => _leases ??= new SessionLeases(session, this, silo, loaded.Epoch);

    /// <summary>Whether a call with this id was applied to the flushed state, as far as the ring reaches.</summary>
    public bool Knows(RequestId id) => _ring.Find(id) is not null;

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

        if (_ring.Find(request.Id) is { } answer)
        {
            return Task.FromResult(answer);
        }

        if (FindPending(request.Id) is { } same)
        {
            return same.Task;
        }

        var write = new PendingWrite(request, silo, operation);
        if (HasLostLease(write))
        {
            throw new SessionLeaseLostException(session);
        }

        if (_ring.MayHaveForgotten(write.UnansweredSince))
        {
            throw Untold();
        }

        if (_waiting.Count >= silo.Options.MaxWaiters)
        {
            throw SessionUnavailableException.NotApplied(
                session, $"{_waiting.Count} calls wait for the store already (MaxWaiters = {silo.Options.MaxWaiters}).");
        }

        Project(write);
        if (write.IsNoChange && IsIdle)
        {
            return Task.FromResult(new Applied(Flushed.Version, write.Entry.Result));
        }

        Enqueue(write);
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
            FailAll(_waiting, why);
            _waiting.Clear();
            _leases?.Close(why);
            stopped(why);
        }
    }

    private void Project(PendingWrite write)
    {
        var change = write.Operation(_projected);
        change = change with { Delta = _projected.Effective(change.Delta) };
        var isNoChange = change.Delta.IsEmpty && change.Secret is null;
        write.Project(change, isNoChange ? _projected : _projected.Apply(change, silo.Options, session));
    }

    private void Enqueue(PendingWrite write)
    {
        _projected = write.State;
        _waiting.Enqueue(write);
    }

    private async Task PumpAsync()
    {
        while (_waiting.Count > 0)
        {
            try
            {
                if (_waiting.Any(write => write.IsOverdue))
                {
                    Rebase(Flushed, [.. _waiting]);
                }

                _inFlight = TakeBatch();
                await FlushAsync(_inFlight);
            }
            catch (Exception e)
            {
                GrainLog.Failed(silo.Logger, session, e);
                Abandon(_inFlight, SessionUnavailableException.Unknown(session, "writing it failed."));
            }

            _inFlight = [];
        }
    }

    private PendingWrite? FindPending(RequestId id) =>
        IsIdle ? null : _inFlight.Find(write => write.Entry.Id == id) ?? _waiting.FirstOrDefault(write => write.Entry.Id == id);

    private List<PendingWrite> TakeBatch()
    {
        var batch = new List<PendingWrite>(Math.Min(_waiting.Count, Flush.MaxEntries));
        while (batch.Count < Flush.MaxEntries && _waiting.TryDequeue(out var write))
        {
            batch.Add(write);
        }

        return batch;
    }

    private async Task FlushAsync(List<PendingWrite> batch)
    {
        if (batch.TrueForAll(write => write.IsNoChange))
        {
            Release(batch);
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
                Release(batch);
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
                GrainLog.Reloading(silo.Logger, session, reply.OwnerName, batch.Count + _waiting.Count);
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
                FailAll(batch, reply.ToException(session));
                Rebase(Flushed, [.. _waiting]);
                break;
        }
    }

    private void Release(List<PendingWrite> batch)
    {
        foreach (var write in batch)
        {
            Flushed = write.State;
            if (!write.IsNoChange)
            {
                _ring.Add(write.State.Version, write.Entry, silo.Now);
            }

            write.Complete(new Applied(write.State.Version, write.Entry.Result));
        }
    }

    /// <summary>Before a try: nobody waits past the deadline because others in the same flush, or before it, have more patience.</summary>
    private void TellTheOverdue(List<PendingWrite> batch)
    {
        foreach (var write in batch.Where(write => write.IsOverdue))
        {
            write.Fail(SessionUnavailableException.Unknown(session, "the store did not answer in time."));
        }

        // These leave the queue unsent when the flush before them is over.
        FailAll(_waiting.Where(write => write.IsOverdue), TooSlow());
    }

    /// <summary>Claims the session back and applies what is pending to what is there now, in order, each change once.</summary>
    private async Task ReloadAsync(List<PendingWrite> batch)
    {
        if (_stopped is not null || _reloads.AreExhausted)
        {
            Abandon(batch, _stopped ?? SessionUnavailableException.NotApplied(
                session, $"another cluster claimed it {ReloadPauses.Most} times while it was to be written."));
            return;
        }

        silo.Metrics.OnReloaded();
        try
        {
            await _reloads.NextAsync();
            var claimed = await owner.ClaimAsync();
            _ring = _stopped is null ? claimed.Ring : throw _stopped;
            _leases?.Lose(claimed.Epoch);
            Rebase(claimed.State, [.. batch, .. _waiting]);
            _leases?.Pass();
        }
        catch (SessionException e)
        {
            Abandon(batch, e);
        }
    }

    private void Rebase(SessionState state, PendingWrite[] writes)
    {
        _waiting.Clear();
        Flushed = _projected = state;
        foreach (var write in writes)
        {
            if (_ring.Find(write.Entry.Id) is { } answer)
            {
                write.Complete(answer);
            }
            else if (_ring.MayHaveForgotten(write.UnansweredSince))
            {
                write.Fail(Untold());
            }
            else if (HasLostLease(write))
            {
                write.Fail(new SessionLeaseLostException(session));
            }
            else if (write.IsOverdue)
            {
                write.Fail(TooSlow());
            }
            else
            {
                try
                {
                    Project(write);
                    Enqueue(write);
                }
                catch (Exception e)
                {
                    write.Fail(e);
                }
            }
        }
    }

    private bool HasLostLease(PendingWrite write) => write.Lease is { } lease && _leases?.IsHeldBy(lease) is not true;

    private void Abandon(List<PendingWrite> batch, SessionException why)
    {
        FailAll(batch, why);
        // Those who only waited behind the batch may be told to come again: nothing of theirs was sent.
        Stop(why is SessionUnavailableException ? SessionUnavailableException.TakenOver(session) : why);
    }

    private SessionUnavailableException Untold() =>
        SessionUnavailableException.Unknown(session, "the call was sent before, and too much has changed since to tell.");

    private SessionUnavailableException TooSlow() =>
        SessionUnavailableException.NotApplied(session, "the store was too slow for the caller's patience.");

    private static void FailAll(IEnumerable<PendingWrite> writes, SessionException why)
    {
        foreach (var write in writes)
        {
            write.Fail(why);
        }
    }
}
