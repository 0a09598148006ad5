namespace SessionActors;

/// <summary>
/// One operation that waits to be stored: what to do, whose call it is, and what it made of the state it was last applied to.
/// </summary>
internal sealed class PendingWrite(RequestId id, long arrivedAt, TimeSpan patience, Func<SessionState, Change> operation)
{
    private readonly TaskCompletionSource<Applied> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<SessionState, Change> Operation => operation;

    public Task<Applied> Task => _completion.Task;

    public RingEntry Entry { get; private set; } = new(id, "");

    public Change Change { get; private set; }

    /// <summary>The state after this operation and all before it.</summary>
    public SessionState State { get; private set; } = null!;

    public bool IsNoChange => Change.Delta.IsEmpty && Change.Secret is null;

    /// <summary>The changes of several writes, in order, as one.</summary>
    public static (SessionDelta Delta, RotatedSecret? Secret) Compose(List<PendingWrite> writes)
    {
        var delta = writes[0].Change.Delta;
        foreach (var write in writes.Skip(1))
        {
            delta = delta.Then(write.Change.Delta);
        }

        var rotation = writes.FindLast(write => write.Change.Secret is not null);
        return (delta, rotation is null ? null : new RotatedSecret(rotation.Change.Secret!.Value, rotation.State.Generation));
    }

    public TimeSpan PatienceLeft(TimeProvider time)
    {
        var left = patience - time.GetElapsedTime(arrivedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public void Project(Change change, SessionState state)
    {
        Change = change;
        State = state;
        Entry = Entry with { Result = change.Result };
    }

    public void Complete(Applied applied) => _completion.TrySetResult(applied);

    public void Fail(Exception why) => _completion.TrySetException(why);
}
