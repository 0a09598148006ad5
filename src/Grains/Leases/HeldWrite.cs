namespace SessionActors;

/// <summary>A change that waits for the end of somebody else's lease.</summary>
internal sealed class HeldWrite(SessionRequest request, Func<SessionState, Change> operation, TimeSpan since)
{
    private readonly TaskCompletionSource<Task<Applied>> _admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SessionRequest Request => request;

    public Task<Task<Applied>> Admitted => _admitted.Task;

    public void Admit(PendingWrites writes, TimeSpan now)
    {
        try
        {
            var isRepeated = request.UntoldFor > TimeSpan.Zero;
            _admitted.TrySetResult(writes.AddAsync(
                isRepeated ? request with { UnansweredFor = request.UntoldFor + (now - since) } : request, operation));
        }
        catch (Exception e)
        {
            _admitted.TrySetException(e);
        }
    }

    public void Fail(SessionException why)
    {
        _admitted.TrySetException(why);
        _ = _admitted.Task.Exception;
    }
}
