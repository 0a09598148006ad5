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
    SessionHandle handle,
    ISessionStorage storage,
    SessionOwner owner,
    SessionLifetime lifetime,
    SessionSilo silo,
    LoadedSession loaded,
    Action<SessionException> stopped)
{
    // A call is older than it says, by its way here.
    private static readonly TimeSpan TravelTime = TimeSpan.FromSeconds(1);

    private readonly string _session = handle.LogName;
    private readonly Queue<PendingWrite> _waiting = new();
    private readonly ReloadPauses _reloads = new(silo.Time);
    private RequestRing _ring = loaded.Ring;
    private SessionState _projected = loaded.State;
    private List<PendingWrite> _inFlight = [];
    private Task _pump = Task.CompletedTask;
    private SessionException? _stopped;

    /// <summary>What readers see: the last state that the store has confirmed.</summary>
    public SessionState Flushed { get; private set; } = loaded.State;

    /// <summary>Whether no flush is under way.</summary>
    public bool IsIdle => _pump.IsCompleted;

    /// <summary>Completes when nothing waits any more.</summary>
    public Task Drained => _pump;

    /// <summary>Whether a call with this id was applied to the flushed state, as far as the ring reaches.</summary>
    public bool Knows(RequestId id) => _ring.Find(id) is not null;

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

        if (request.UnansweredFor > TimeSpan.Zero && !_ring.ReachesBackTo(silo.Now - request.UnansweredFor - TravelTime))
        {
            throw SessionUnavailableException.Unknown(_session, "the call was sent before, and too much has changed since to tell.");
        }

        if (_waiting.Count >= silo.Options.MaxWaiters)
        {
            throw SessionUnavailableException.NotApplied(
                _session, $"{_waiting.Count} calls wait for the store already (MaxWaiters = {silo.Options.MaxWaiters}).");
        }

        var write = new PendingWrite(request.Id, silo.Time.GetTimestamp(), request.Patience, operation);
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
            stopped(why);
        }
    }

    private void Project(PendingWrite write)
    {
        var change = write.Operation(_projected);
        change = change with { Delta = _projected.Effective(change.Delta) };
        write.Project(change, _projected.Apply(change, silo.Options, _session));
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
            if (_waiting.Any(write => write.PatienceLeft(silo.Time) == TimeSpan.Zero))
            {
                Rebase(Flushed, [.. _waiting]);
            }

            var batch = _inFlight = TakeBatch();
            try
            {
                await (batch.Count == 0 ? Task.CompletedTask : FlushAsync(batch));
            }
            catch (Exception e)
            {
                GrainLog.Failed(silo.Logger, _session, e);
                Abandon(batch, SessionUnavailableException.Unknown(_session, "writing it failed."));
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
        var flush = ToFlush(batch);
        var sentAt = silo.Now;
        var patience = batch.Min(write => write.PatienceLeft(silo.Time));
        var reply = await StoreRetry.UntilAnsweredAsync(silo.Time, patience, () => storage.CommitAsync(handle, flush));
        switch (reply.Outcome)
        {
            case StoreOutcome.Written or StoreOutcome.AlreadyWritten:
                Release(batch, flush, sentAt);
                break;
            case StoreOutcome.Missing or StoreOutcome.Tombstone:
                Abandon(batch, new SessionDestroyedException(_session, reply.Reason));
                break;
            case StoreOutcome.Fenced when owner.IsInOwnCluster(reply.OwnerName):
                silo.Metrics.OnFenced(sameCluster: true);
                GrainLog.TakenOver(silo.Logger, _session, reply.OwnerName);
                Abandon(batch, SessionUnavailableException.TakenOver(_session));
                break;
            case StoreOutcome.Fenced:
                silo.Metrics.OnFenced(sameCluster: false);
                GrainLog.Reloading(silo.Logger, _session, reply.OwnerName, batch.Count + _waiting.Count);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Behind or StoreOutcome.Ahead:
                GrainLog.VersionsDiffer(silo.Logger, _session, Flushed.Version, reply.Outcome);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Unknown:
                silo.Metrics.OnUnknown();
                GrainLog.Unknown(silo.Logger, _session, batch.Count, reply.Error);
                Abandon(batch, reply.ToException(_session));
                break;
            default:
                // Certainly not written, so what is in memory still holds: only these callers fail, and what they would have changed goes.
                GrainLog.NotWritten(silo.Logger, _session, batch.Count, reply.Error);
                FailAll(batch, reply.ToException(_session));
                Rebase(Flushed, [.. _waiting]);
                break;
        }
    }

    private Flush ToFlush(List<PendingWrite> batch)
    {
        var (delta, secret) = PendingWrite.Compose(batch);
        var ttl = batch[^1].State.Ttl;
        var interval = silo.Options.TouchIntervalOf(ttl);
        return new Flush
        {
            Owner = owner.Nonce,
            FromVersion = Flushed.Version,
            Entries = [.. batch.Select(write => write.Entry)],
            Delta = delta,
            Secret = secret,
            KeepFor = delta.Ttl is null ? lifetime.KeepFor(silo.Now, ttl, interval) : lifetime.KeepForAnyway(silo.Now, ttl, interval),
        };
    }

    private void Release(List<PendingWrite> batch, Flush flush, TimeSpan sentAt)
    {
        _reloads.Reset();
        silo.Metrics.OnFlushed(batch.Count);
        if (flush.KeepFor is { } keepFor)
        {
            lifetime.Kept(sentAt, keepFor);
        }

        var version = flush.FromVersion;
        foreach (var write in batch)
        {
            _ring.Add(++version, write.Entry, silo.Now);
        }

        Flushed = batch[^1].State;
        foreach (var write in batch)
        {
            write.Complete(new Applied(write.State.Version, write.Entry.Result));
        }
    }

    /// <summary>Claims the session back and applies what is pending to what is there now, in order, each change once.</summary>
    private async Task ReloadAsync(List<PendingWrite> batch)
    {
        if (_stopped is not null || _reloads.AreExhausted)
        {
            Abandon(batch, _stopped ?? SessionUnavailableException.NotApplied(
                _session, $"another cluster claimed it {ReloadPauses.Most} times while it was to be written."));
            return;
        }

        silo.Metrics.OnReloaded();
        try
        {
            await _reloads.NextAsync();
            var (state, ring) = await owner.ClaimAsync();
            lifetime.Slide(silo.Now);
            _ring = ring;
            Rebase(state, [.. batch, .. _waiting]);
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
            else if (write.PatienceLeft(silo.Time) == TimeSpan.Zero)
            {
                write.Fail(SessionUnavailableException.NotApplied(_session, "the store was too slow for the caller's patience."));
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

    private void Abandon(List<PendingWrite> batch, SessionException why)
    {
        FailAll(batch, why);
        // Those who only waited behind the batch may be told to come again: nothing of theirs was sent.
        Stop(why is SessionUnavailableException ? SessionUnavailableException.TakenOver(_session) : why);
    }

    private static void FailAll(IEnumerable<PendingWrite> writes, SessionException why)
    {
        foreach (var write in writes)
        {
            write.Fail(why);
        }
    }
}
