using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// The writes of one session that are not stored yet, each applied to the <i>projected</i> state that those before it left, and the state
/// that the store has confirmed. Starts nothing and waits for nothing: <see cref="PendingWrites"/> does.
/// </summary>
internal sealed class ProjectedWrites(string session, SessionSilo silo, LoadedSession loaded)
{
    // Nothing is ever added to it.
    private static readonly List<PendingWrite> None = [];

    private readonly Queue<PendingWrite> _waiting = new();
    private RequestRing _ring = loaded.Ring;
    private SessionState _projected = loaded.State;
    private SessionState _current = loaded.State;
    private TaskCompletionSource? _changed;
    private int _acknowledged;

    /// <summary>The last state that the store has confirmed.</summary>
    public SessionState Flushed { get; private set; } = loaded.State;

    /// <summary>What readers see, those in other threads too: the last state that a caller was told of.</summary>
    public SessionState Current
    {
        get => Volatile.Read(ref _current);
        private set
        {
            Volatile.Write(ref _current, value);
            _changed?.TrySetResult();
            _changed = null;
        }
    }

    /// <summary>Completes when readers see another state.</summary>
    public Task Changed => (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>The writes that are on their way to the store.</summary>
    public List<PendingWrite> InFlight { get; private set; } = None;

    /// <summary>The writes behind them, in order.</summary>
    public IReadOnlyCollection<PendingWrite> Waiting => _waiting;

    /// <summary>How many of them have callers that wait, too.</summary>
    public int Waiters => _waiting.Count - _acknowledged;

    /// <summary>Whether nobody waits for anything to be stored.</summary>
    public bool HasOnlyAcknowledged => Waiters == 0 && (InFlight.Count == 0 || InFlight[0].IsAcknowledged);

    /// <summary>When the first of those that wait was acknowledged; null where it was not, or none waits.</summary>
    public TimeSpan? OldestAcknowledgedAt => _waiting.TryPeek(out var first) ? first.AcknowledgedAt : null;

    /// <summary>What a call with this id was answered, as far as the ring reaches.</summary>
    public Applied? AnswerTo(RequestId id) => _ring.Find(id);

    /// <summary>The ring, as the store has it.</summary>
    public ImmutableArray<RingSlot> RingSlots() => _ring.Slots(silo.Now);

    /// <summary>The answer to a call with this id, which came before; null where none did.</summary>
    public Task<Applied>? Known(RequestId id) => _ring.Find(id) is { } answer ? Task.FromResult(answer) : Find(id)?.Task;

    /// <summary>A write of a call with this id that is not stored yet.</summary>
    public PendingWrite? Find(RequestId id) =>
        InFlight.Find(write => write.Entry.Id == id) ?? _waiting.FirstOrDefault(write => write.Entry.Id == id);

    /// <summary>Whether nobody can tell any more if an earlier try, made since then, was stored.</summary>
    public bool MayHaveForgotten(TimeSpan? since) => _ring.MayHaveForgotten(since);

    /// <summary>Applies a write to the projected state, without adding it; or finds that this refuses it.</summary>
    public void Project(PendingWrite write)
    {
        try
        {
            var change = write.IsAcknowledged ? AcknowledgedChange.Again(write, _projected) : write.Operation(_projected);
            var limits = write.IsAcknowledged ? AcknowledgedChange.NoLimits : silo.Options;
            write.Project(change with { Delta = _projected.Effective(change.Delta) }, _projected, limits, session);
        }
        catch (Exception e)
        {
            write.Refuse(e, _projected);
        }
    }

    /// <summary>Adds a write that was applied.</summary>
    public void Add(PendingWrite write)
    {
        _projected = write.State;
        _waiting.Enqueue(write);
        if (write.IsAcknowledged)
        {
            Acknowledged(write);
        }
    }

    /// <summary>The write that was added last is acknowledged before it is stored.</summary>
    public void Acknowledged(PendingWrite write)
    {
        _acknowledged++;
        Current = write.State;
    }

    /// <summary>Takes the next writes from those that wait, so many at most; acknowledged ones do not leave with others.</summary>
    public List<PendingWrite> TakeBatch(int most)
    {
        InFlight = new List<PendingWrite>(Math.Min(_waiting.Count, most));
        while (InFlight.Count < most && _waiting.TryPeek(out var next)
            && (InFlight.Count == 0 || InFlight[0].IsAcknowledged == next.IsAcknowledged))
        {
            InFlight.Add(_waiting.Dequeue());
        }

        _acknowledged -= InFlight.Count > 0 && InFlight[0].IsAcknowledged ? InFlight.Count : 0;
        return InFlight;
    }

    /// <summary>The batch has its answers.</summary>
    public void BatchIsOver() => InFlight = None;

    /// <summary>The batch is stored.</summary>
    public void Release(List<PendingWrite> batch)
    {
        foreach (var write in batch)
        {
            Flushed = write.State;
            if (!write.IsNothingToStore)
            {
                _ring.Add(write.State.Version, write.Entry, silo.Now);
            }

            write.Complete(new Applied(write.State.Version, write.Entry.Result));
        }

        Current = Flushed.Version >= Current.Version ? Flushed : Current;
        InFlight = None;
    }

    /// <summary>Before a try: nobody waits past the deadline because others in the same flush, or before it, have more patience.</summary>
    public void TellTheOverdue(List<PendingWrite> batch)
    {
        if (batch.Exists(write => write.IsOverdue))
        {
            PendingWrite.FailAll(
                batch.Where(write => write.IsOverdue), SessionUnavailableException.Unknown(session, "the store did not answer in time."));
        }

        // These leave the queue unsent when the flush before them is over.
        if (HasOverdueWaiting())
        {
            PendingWrite.FailAll(_waiting.Where(write => write.IsOverdue), TooSlow(session));
        }
    }

    private bool HasOverdueWaiting()
    {
        foreach (var write in _waiting)
        {
            if (write.IsOverdue)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes those who waited for too long out of the queue.</summary>
    public void DropOverdue()
    {
        if (HasOverdueWaiting())
        {
            Rebase([], _ => false);
        }
    }

    /// <summary>
    /// Begins anew from the confirmed state, or from another one that was read: applies a batch that is not stored, and those behind it, in
    /// order, each once.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="hasLostLease">Which writes were made under a lease that is lost.</param>
    /// <param name="read">What was read; null for what was confirmed.</param>
    public void Rebase(List<PendingWrite> batch, Func<PendingWrite, bool> hasLostLease, LoadedSession? read = null)
    {
        PendingWrite[] writes = [.. batch, .. _waiting];
        _waiting.Clear();
        _acknowledged = 0;
        _ring = read?.Ring ?? _ring;
        Flushed = _projected = Current = read?.State ?? Flushed;
        foreach (var write in writes)
        {
            if (_ring.Find(write.Entry.Id) is { } answer)
            {
                write.Complete(answer);
            }
            else if (MayHaveForgotten(write.UnansweredSince))
            {
                write.Fail(Untold(session));
            }
            else if (hasLostLease(write))
            {
                write.Fail(new SessionLeaseLostException(session));
            }
            else if (write.IsOverdue)
            {
                write.Fail(TooSlow(session));
            }
            else
            {
                Project(write);
                if (write is { IsAcknowledged: true, Refusal: { } why })
                {
                    // Its caller has an answer; that it is lost is told now.
                    write.Fail(why);
                }
                else
                {
                    Add(write);
                }
            }
        }
    }

    /// <summary>Refuses all that wait. What is acknowledged stays, unless the session has ended.</summary>
    public void Clear(SessionException why)
    {
        PendingWrite[] kept = why is SessionDestroyedException ? [] : [.. _waiting.Take(_acknowledged)];
        PendingWrite.FailAll(_waiting.Skip(kept.Length), why);
        _waiting.Clear();
        _acknowledged = kept.Length;
        Array.ForEach(kept, _waiting.Enqueue);
    }

    public static SessionUnavailableException Untold(string session) =>
        SessionUnavailableException.Unknown(session, "the call was sent before, and too much has changed since to tell.");

    public static SessionUnavailableException TooSlow(string session) =>
        SessionUnavailableException.NotApplied(session, "the store was too slow for the caller's patience.");
}
