namespace SessionActors;

/// <summary>
/// Group commit for one session. An operation is applied at once to the <i>projected</i> state and waits; readers see the <i>flushed</i>
/// state only. One flush is under way at a time; what arrives meanwhile leaves together in the next. Each caller is released by the flush
/// that holds its delta; or before it, see <see cref="WriteBehind"/>, and readers see all that callers were told of.
/// <para>
/// Runs in the turns of its grain and awaits nothing but the store. After every await the world is looked at again.
/// </para>
/// </summary>
internal sealed partial class PendingWrites(
    string session, SessionOwner owner, SessionSilo silo, LoadedSession loaded, Action<SessionException> stopped)
{
    private readonly ProjectedWrites _writes = new(session, silo, loaded);
    private ReloadPauses? _reloads;
    private long _epoch = loaded.Epoch;
    private OwnerNonce _nonce = owner.Nonce;
    private Task _pump = Task.CompletedTask;
    private GuardedWrites? _guarded;
    private TaskCompletionSource? _refresh;
    private bool _isClaimedBack;
    private SessionLeases? _leases;
    private SessionException? _stopped;
    private WriteBehind? _behind;

    private GuardedWrites Guarded => _guarded ??= new GuardedWrites(session, owner, _writes)
    {
        HasLostLease = HasLostLease, Validate = ValidateOrHealAsync, Refresh = () => WantRefresh(), Stop = Stop,
    };

    private ReloadPauses Reloads => _reloads ??= new ReloadPauses(silo.Time);

    /// <summary>What readers see.</summary>
    public SessionState Current => _writes.Current;

    /// <summary>Completes when readers see another state.</summary>
    public Task Changed => _writes.Changed;

    /// <summary>The last state that the store has confirmed.</summary>
    public SessionState Flushed => _writes.Flushed;

    /// <summary>Whether anything is acknowledged that is not stored.</summary>
    public bool HasUnstored => _behind?.Count > 0;

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

        if (_writes.Known(request.Id) is { } same)
        {
            return same;
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

        if (_writes.Waiters >= silo.Options.MaxWaiters)
        {
            silo.Metrics.OnLimit(nameof(silo.Options.MaxWaiters));
            throw SessionUnavailableException.NotApplied(
                session, $"{_writes.Waiters} calls wait for the store already (MaxWaiters = {silo.Options.MaxWaiters}).");
        }

        _writes.Project(write);
        var behind = BehindOf(write);
        // Where somebody else may have changed something, even "nothing to do" has to be asked for, and what is refused because of a write
        // that is not stored yet is refused when that is.
        if (write.IsNothingToStore && owner.KnowsAll && (behind is not null || (IsIdle && _writes.Waiting.Count == 0)))
        {
            return write.Refusal is { } why
                ? Task.FromException<Applied>(why) : Task.FromResult(new Applied(Current.Version, write.Entry.Result));
        }

        _writes.Add(write);
        if (behind is not null)
        {
            behind.Acknowledge(write, Pump);
        }
        else
        {
            write.Queued();
            Pump();
        }

        return write.Task;
    }

    /// <summary>Completes when nothing waits any more: what is acknowledged is stored at once.</summary>
    public async Task StoredAsync()
    {
        while (!IsIdle || _writes.Waiting.Count > 0)
        {
            _behind?.Push();
            Pump();
            await _pump;
        }
    }

    /// <summary>
    /// Refuses everything that waits and everything that comes. A flush that is under way still gets its own answer; what is acknowledged
    /// is still to be stored, unless the session has ended.
    /// </summary>
    public void Stop(SessionException why)
    {
        if (_stopped is null || (why is SessionDestroyedException && _stopped is not SessionDestroyedException))
        {
            _stopped = why;
            _writes.Clear(why);
            _leases?.Close(why);
            stopped(why);
        }
    }

    private void Pump() => _pump = IsIdle ? PumpAsync() : _pump;

    // What acknowledges the write before it is stored, where anything does: not from a memory that somebody else may have overtaken.
    private WriteBehind? BehindOf(PendingWrite write) =>
        silo.Options.FlushMode == FlushMode.WriteBehind && owner.KnowsAll
        && (_behind ??= new WriteBehind(session, silo, _writes, owner.Stay)).Takes(write) ? _behind : null;

    /// <summary>Reads the session anew, for those who found that somebody else has changed it.</summary>
    public Task RefreshAsync()
    {
        var refresh = WantRefresh().Task;
        Pump();
        return refresh;
    }

    /// <summary>Reads the session anew where somebody else has changed it since it was read.</summary>
    /// <param name="mustOwn">Whether to claim it also where another cluster only owns it.</param>
    /// <exception cref="SessionException">It has ended, is out of reach, or another silo of this cluster has it.</exception>
    public async Task ValidateAsync(bool mustOwn = false)
    {
        try
        {
            var validity = await ValidateOrHealAsync();
            silo.Metrics.OnValidated(validity is Validity.Changed or Validity.Behind);
            if (validity is Validity.Changed or Validity.Behind || (mustOwn && validity == Validity.Unchanged))
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
}
