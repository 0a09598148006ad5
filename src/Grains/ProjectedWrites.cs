namespace SessionActors;

/// <summary>
/// The writes of one session that are not stored yet, each applied to the <i>projected</i> state that those before it left, and the state
/// that the store has confirmed. Starts nothing and waits for nothing: <see cref="PendingWrites"/> does.
/// </summary>
internal sealed class ProjectedWrites(string session, SessionSilo silo, LoadedSession loaded)
{
    private readonly Queue<PendingWrite> _waiting = new();
    private RequestRing _ring = loaded.Ring;
    private SessionState _projected = loaded.State;

    /// <summary>The last state that the store has confirmed.</summary>
    public SessionState Flushed { get; private set; } = loaded.State;

    /// <summary>The writes that are on their way to the store.</summary>
    public List<PendingWrite> InFlight { get; private set; } = [];

    /// <summary>The writes behind them, in order.</summary>
    public IReadOnlyCollection<PendingWrite> Waiting => _waiting;

    /// <summary>What a call with this id was answered, as far as the ring reaches.</summary>
    public Applied? AnswerTo(RequestId id) => _ring.Find(id);

    /// <summary>A write of a call with this id that is not stored yet.</summary>
    public PendingWrite? Find(RequestId id) =>
        InFlight.Find(write => write.Entry.Id == id) ?? _waiting.FirstOrDefault(write => write.Entry.Id == id);

    /// <summary>Whether nobody can tell any more if an earlier try, made since then, was stored.</summary>
    public bool MayHaveForgotten(TimeSpan? since) => _ring.MayHaveForgotten(since);

    /// <summary>Applies a write to the projected state, without adding it.</summary>
    public void Project(PendingWrite write)
    {
        var change = write.Operation(_projected);
        change = change with { Delta = _projected.Effective(change.Delta) };
        var isNoChange = change.Delta.IsEmpty && change.Secret is null;
        write.Project(change, isNoChange ? _projected : _projected.Apply(change, silo.Options, session));
    }

    /// <summary>Adds a write that was applied.</summary>
    public void Add(PendingWrite write)
    {
        _projected = write.State;
        _waiting.Enqueue(write);
    }

    /// <summary>Takes the next writes from those that wait, so many at most.</summary>
    public List<PendingWrite> TakeBatch(int most)
    {
        InFlight = new List<PendingWrite>(Math.Min(_waiting.Count, most));
        while (InFlight.Count < most && _waiting.TryDequeue(out var write))
        {
            InFlight.Add(write);
        }

        return InFlight;
    }

    /// <summary>The batch has its answers.</summary>
    public void BatchIsOver() => InFlight = [];

    /// <summary>The batch is stored.</summary>
    public void Release(List<PendingWrite> batch)
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

    /// <summary>Takes those who waited for too long out of the queue.</summary>
    public void DropOverdue()
    {
        if (_waiting.Any(write => write.IsOverdue))
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
        _ring = read?.Ring ?? _ring;
        Flushed = _projected = read?.State ?? Flushed;
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
                try
                {
                    Project(write);
                    Add(write);
                }
                catch (Exception e)
                {
                    write.Fail(e);
                }
            }
        }
    }

    /// <summary>Refuses all that wait.</summary>
    public void Clear(SessionException why)
    {
        PendingWrite.FailAll(_waiting, why);
        _waiting.Clear();
    }

    public static SessionUnavailableException Untold(string session) =>
        SessionUnavailableException.Unknown(session, "the call was sent before, and too much has changed since to tell.");

    public static SessionUnavailableException TooSlow(string session) =>
        SessionUnavailableException.NotApplied(session, "the store was too slow for the caller's patience.");
}
