using System.Runtime.CompilerServices;

namespace SessionActors;

/// <summary>What the calls to a session have in common: how long they wait, and which failures are worth another try.</summary>
internal sealed class SessionCalls(ActorSessionOptions options, TimeProvider time)
{
    // Orleans gives a call up after 30 s by itself, so that a longer time-out needs no timer of ours.
    private static readonly TimeSpan OrleansTimeout = TimeSpan.FromSeconds(30);

    private readonly bool _needsTimer = options.IOTimeout != Timeout.InfiniteTimeSpan && options.IOTimeout < OrleansTimeout;

    /// <summary>How long the session may try.</summary>
    public TimeSpan Patience { get; } = options.IOTimeout > TimeSpan.Zero && options.IOTimeout < SessionRequest.DefaultPatience
        ? options.IOTimeout
        : SessionRequest.DefaultPatience;

    /// <summary>Whether the silo that held the session is going away, so that the same call may find the session elsewhere.</summary>
    public static bool IsTransient(Exception e) =>
        e is SessionUnavailableException { Moved: true } || SessionGrainExtensions.IsLost(e);

    /// <summary>A mutating request by whoever opened this generation of the secret, after that first one.</summary>
    public SessionRequest NewRequest(
        int? generation, RequestId? first, SessionLease? lease = null, ConflictBehaviour onConflict = default) => new()
    {
        Id = RequestId.New(),
        Patience = Patience,
        Generation = generation,
        PartOf = first,
        Lease = lease?.Id,
        LeaseToken = lease?.Token,
        OnConflict = onConflict,
    };

    /// <summary>
    /// Opens a session; the answer may be what has changed since a snapshot that is known. The first try is made without what a second one
    /// needs: nearly all need no other.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<SessionOpening> OpenAsync(
        ISessionGrain grain, SessionHandle handle, SecretHash secret, bool slide, SnapshotMark? known)
    {
        try
        {
            var opening = known is { } mark ? grain.OpenSinceAsync(secret, slide, mark) : grain.OpenAsync(secret, slide);
            return _needsTimer ? await WaitAsync(opening.AsTask(), handle, changes: false, default) : await opening;
        }
        catch (Exception e) when (IsTransient(e))
        {
            return await OpenAgainAsync(grain, handle, secret, slide);
        }
    }

    /// <summary>
    /// Makes a mutating call, which must carry one and the same request id each time. The token ends the waiting, not the call.
    /// </summary>
    public Task<T> ChangeAsync<T>(
        ISessionGrain grain, SessionHandle handle, SessionRequest request, Func<SessionRequest, Task<T>> call, CancellationToken token) =>
        SessionTelemetry.IsTraced
            ? TracedAsync(grain, handle, request, call, token)
            : WaitAsync(grain.RetryAsync(request, call), handle, changes: true, token);

    /// <inheritdoc cref="ChangeAsync{T}(ISessionGrain, SessionHandle, SessionRequest, Func{SessionRequest, Task{T}}, CancellationToken)"/>
    public Task ChangeAsync(
        ISessionGrain grain, SessionHandle handle, SessionRequest request, Func<SessionRequest, Task> call, CancellationToken token) =>
        ChangeAsync(
            grain, handle, request,
            async again =>
            {
                await call(again);
                return true;
            },
            token);

    /// <summary>Reads a session without its secret.</summary>
    public Task<SessionSnapshot?> ReadAsync(ISessionGrain grain, SessionHandle handle) =>
        WaitAsync(grain.RetryAsync(Patience, () => grain.ReadAsync().AsTask()), handle, changes: false, default);

    private async Task<T> TracedAsync<T>(
        ISessionGrain grain, SessionHandle handle, SessionRequest request, Func<SessionRequest, Task<T>> call, CancellationToken token)
    {
        using var activity = SessionTelemetry.Start("change session", handle);
        try
        {
            return await WaitAsync(grain.RetryAsync(request, call), handle, changes: true, token);
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
    }

    private Task<SessionOpening> OpenAgainAsync(ISessionGrain grain, SessionHandle handle, SecretHash secret, bool slide) =>
        WaitAsync(grain.RetryAsync(Patience, () => grain.OpenAsync(secret, slide).AsTask()), handle, changes: false, default);

    private Task<T> WaitAsync<T>(Task<T> call, SessionHandle handle, bool changes, CancellationToken token) =>
        _needsTimer || token.CanBeCanceled ? WaitInTimeAsync(call, handle, changes, token) : call;

    private async Task<T> WaitInTimeAsync<T>(Task<T> call, SessionHandle handle, bool changes, CancellationToken token)
    {
        try
        {
            return await call.WaitAsync(_needsTimer ? options.IOTimeout : Timeout.InfiniteTimeSpan, time, token);
        }
        catch (TimeoutException e) when (_needsTimer && !call.IsCompleted)
        {
            // Whatever comes of it, nobody is here to see it.
            call.Ignore();
            var why = $"no answer came within IOTimeout = {options.IOTimeout}.";
            throw changes
                ? SessionUnavailableException.Unknown(handle.LogName, why, e)
                : SessionUnavailableException.NotApplied(handle.LogName, why, e);
        }
    }
}
