namespace SessionActors;

/// <summary>
/// How long one step waits in all, in <c>SessionOptions.IOTimeout</c> or until its caller has had enough. It begins with the first wait:
/// what is in memory needs no timer.
/// </summary>
internal sealed class IoLimit(TimeSpan time, CancellationToken caller) : IDisposable
{
    private CancellationTokenSource? _time;
    private CancellationTokenSource? _either;

    public CancellationToken Token =>
        (_either ??= CancellationTokenSource.CreateLinkedTokenSource(Time.Token, caller)).Token;

    /// <summary>Whether the time was over, and not the caller's patience.</summary>
    public bool IsOver => _time is { IsCancellationRequested: true } && !caller.IsCancellationRequested;

    private CancellationTokenSource Time => _time ??= new CancellationTokenSource(time, TimeProvider.System);

    public ValueTask<T> WaitAsync<T>(ValueTask<T> call) => call.IsCompleted ? call : new(call.AsTask().WaitAsync(Token));

    public Task<T> WaitAsync<T>(Task<T> call) => call.IsCompleted ? call : call.WaitAsync(Token);

    /// <summary>What a failed step failed with, where that was the time.</summary>
    public OperationCanceledException Over(string what, Exception inner) =>
        new($"The session was not {what} within SessionOptions.IOTimeout = {time}.", inner, Time.Token);

    public void Dispose()
    {
        _either?.Dispose();
        _time?.Dispose();
    }
}
