using System.Diagnostics;

namespace SessionActors;

/// <summary>
/// One operation that waits to be stored: what to do, whose call it is, and what it made of the state it was last applied to.
/// </summary>
internal sealed class PendingWrite(SessionRequest request, SessionSilo silo, Func<SessionState, Change> operation)
{
    // A call is older than it says, by its way here.
    private static readonly TimeSpan TravelTime = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource<Applied> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan _deadline = silo.Now + request.Patience;
    private WriteBehind? _behind;

    public Func<SessionState, Change> Operation => operation;

    /// <summary>What its call is a part of, where that is traced.</summary>
    public Activity? Caller { get; } = Activity.Current;

    /// <summary>The lease that the call is made under, if any.</summary>
    public RequestId? Lease => request.Lease;

    public long? LeaseToken => request.LeaseToken;

    public Task<Applied> Task => _completion.Task;

    public RingEntry Entry { get; private set; } = new(request.Id, "");

    public Change Change { get; private set; }

    /// <summary>The state after this operation and all before it.</summary>
    public SessionState State { get; private set; } = null!;

    /// <summary>Why the state it was last applied to refuses it; null where it does not.</summary>
    public Exception? Refusal { get; private set; }

    /// <summary>
    /// Whether there is nothing to store. Of a call that was sent before even "nothing to do" is stored, as its entry in the ring: so the
    /// store proves that it was judged by what is there, and an earlier try that is still under way somewhere finds that it is answered.
    /// </summary>
    public bool IsNothingToStore => Refusal is not null || (Change.IsNothing && !WasSentBefore);

    /// <summary>Whether an earlier try of the call may be anywhere.</summary>
    public bool WasSentBefore => request.UntoldFor > TimeSpan.Zero;

    /// <summary>When it was acknowledged without being stored; null where its caller waits for that.</summary>
    public TimeSpan? AcknowledgedAt { get; private set; }

    public bool IsAcknowledged => AcknowledgedAt is not null;

    /// <summary>How much of the bound on what is acknowledged it takes.</summary>
    public long Bytes { get; set; }

    /// <summary>How long its caller still waits; one that is acknowledged waits for the store until that answers.</summary>
    public TimeSpan PatienceLeft => IsAcknowledged ? StoreRetry.Endless : _deadline > silo.Now ? _deadline - silo.Now : TimeSpan.Zero;

    public bool IsOverdue => PatienceLeft == TimeSpan.Zero;

    /// <summary>
    /// When the store may first have got it without its answer coming back, through this activation or another; null where it never did.
    /// </summary>
    public TimeSpan? UnansweredSince { get; private set; } = SinceOf(request, silo.Now);

    /// <summary>When a call may first have been applied without its caller hearing of it; null where that cannot be.</summary>
    public static TimeSpan? SinceOf(SessionRequest request, TimeSpan now) =>
        request.UntoldFor > TimeSpan.Zero ? now - request.UntoldFor - TravelTime : null;

    /// <summary>The changes of several writes, in order, as one.</summary>
    public static (SessionDelta Delta, RotatedSecret? Secret, BoundUser? User) Compose(IReadOnlyList<PendingWrite> writes)
    {
        var (delta, secret, user) = (SessionDelta.Empty, (RotatedSecret?)null, (BoundUser?)null);
        foreach (var write in writes)
        {
            delta = delta.IsEmpty ? write.Change.Delta : delta.Then(write.Change.Delta);
            secret = write.Change.Secret is { } hash ? new RotatedSecret(hash, write.State.Generation) : secret;
            user = write.Change.User ?? user;
        }

        return (delta, secret, user);
    }

    /// <summary>What it makes of a state.</summary>
    public void Project(Change change, SessionState before, SessionActorsOptions limits, string session)
    {
        (Change, Entry, Refusal) = (change, Entry with { Result = change.Result }, null);
        State = IsNothingToStore ? before : before.Apply(change, limits, session);
    }

    /// <summary>What it makes of a state that refuses it: nothing, and its caller is told so once that state is stored.</summary>
    public void Refuse(Exception why, SessionState before) => (Change, Refusal, State) = (new Change(SessionDelta.Empty), why, before);

    public void WentUnanswered(TimeSpan sentAt) => UnansweredSince ??= sentAt;

    /// <summary>From now on it is answered by a flush, or by the failure of one.</summary>
    public void Queued() => silo.Metrics.OnStoring();

    /// <summary>Answers its caller before it is stored. What earlier tries of the call did, the ring was asked when it came.</summary>
    public void Acknowledge(WriteBehind behind)
    {
        (_behind, AcknowledgedAt, UnansweredSince) = (behind, silo.Now, null);
        _completion.TrySetResult(new Applied(State.Version, Entry.Result));
    }

    /// <summary>It is stored, or there is nothing left of it to be stored.</summary>
    public void Complete(Applied applied)
    {
        if (Refusal is { } why)
        {
            Fail(why);
        }
        else if (Settled() is null)
        {
            Answered(_completion.TrySetResult(applied));
        }
    }

    /// <summary>Fails it; one that may have been stored before is never told that nothing was changed.</summary>
    public void Fail(Exception why) => Failed(why)?.OnLost(1, why);

    public static void FailAll(IEnumerable<PendingWrite> writes, SessionException why)
    {
        var (lost, behind) = (0, (WriteBehind?)null);
        foreach (var write in writes)
        {
            if (write.Failed(why) is { } acknowledged)
            {
                (lost, behind) = (lost + 1, acknowledged);
            }
        }

        behind?.OnLost(lost, why);
    }

    /// <summary>What is to be told where its caller was answered already.</summary>
    private WriteBehind? Failed(Exception why)
    {
        var behind = Settled();
        if (behind is null)
        {
            Answered(_completion.TrySetException(
                UnansweredSince is not null && why is SessionUnavailableException unavailable ? unavailable.AfterUnansweredTry() : why));
        }

        return behind;
    }

    private WriteBehind? Settled()
    {
        var behind = _behind;
        _behind = null;
        behind?.Settle(this);
        return behind;
    }

    private void Answered(bool isFirstAnswer)
    {
        if (isFirstAnswer)
        {
            silo.Metrics.OnStored();
        }
    }
}
