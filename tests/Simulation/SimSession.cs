namespace SessionActors;

/// <summary>A session as a client has it: each call goes over the network, but for what the silo beside it has at hand.</summary>
internal sealed class SimSession(SessionHandle handle, SimCluster cluster, int caller) : ISessionGrain, IGrainBase
{
    private SessionOpening? _seen;

    public IGrainContext GrainContext { get; } = new StubContext(handle, null!, () => { });

    public ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide) =>
        cluster.LocalTo(caller)?.TryOpen(handle, secret, slide) is { } opening
            ? new(opening) : new(OpenSeenAsync(secret, slide));

    public ValueTask<SessionOpening> OpenSinceAsync(SecretHash secret, bool slide, SnapshotMark known) =>
        new(CallAsync(grain => grain.OpenSinceAsync(secret, slide, known).AsTask()));

    public ValueTask<SessionSnapshot?> ReadAsync() => new(CallAsync(grain => grain.ReadAsync().AsTask()));

    public Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request) =>
        CallAsync(grain => grain.CreateAsync(session, request));

    public Task<long> CommitAsync(SessionDelta delta, SessionRequest request) => CallHereAsync(grain => grain.CommitAsync(delta, request));

    public Task<long> IncrementAsync(string name, long by, SessionRequest request) =>
        CallHereAsync(grain => grain.IncrementAsync(name, by, request));

    public Task<ReadOnlyMemory<byte>?> TakeAsync(string name, SessionRequest request) =>
        CallHereAsync(grain => grain.TakeAsync(name, request));

    public Task<bool> CompareAndSetAsync(
        string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value, SessionRequest request) =>
        CallHereAsync(grain => grain.CompareAndSetAsync(name, expected, value, request));

    public Task<ReadOnlyMemory<byte>> GetOrSetAsync(string name, ReadOnlyMemory<byte> value, SessionRequest request) =>
        CallHereAsync(grain => grain.GetOrSetAsync(name, value, request));

    public Task<int> RegenerateAsync(SecretHash secret, SessionRequest request) =>
        CallAsync(grain => grain.RegenerateAsync(secret, request));

    public Task<SessionOpening> AcquireAsync(SecretHash? secret, bool slide, SessionRequest request) =>
        CallAsync(grain => grain.AcquireAsync(secret, slide, request));

    public ValueTask<bool> RenewAsync(RequestId lease) => new(CallAsync(grain => grain.RenewAsync(lease).AsTask()));

    public Task ReleaseAsync(RequestId lease) => CallAsync(Done(grain => grain.ReleaseAsync(lease)));

    public Task BindAsync(UserBinding user, SessionRequest request) => throw new NotSupportedException("Nobody signs in here.");

    public IAsyncEnumerable<SessionChange> ChangesAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("Nobody watches here.");

    public Task EndAsync(SessionEndReason reason, SessionRequest request) => CallAsync(Done(grain => grain.EndAsync(reason, request)));

    public Task DestroyAsync(SessionRequest request) => CallAsync(Done(grain => grain.DestroyAsync(request)));

    public ValueTask<bool> IsUnderWayAsync(RequestId call) => new(CallAsync(grain => grain.IsUnderWayAsync(call).AsTask()));

    // As a web server that keeps what it has seen.
    private async Task<SessionOpening> OpenSeenAsync(SecretHash secret, bool slide)
    {
        var known = _seen;
        var answer = known?.Snapshot is { } snapshot
            ? await OpenSinceAsync(secret, slide, new SnapshotMark(snapshot.History, snapshot.Version))
            : await CallAsync(grain => grain.OpenAsync(secret, slide).AsTask());
        var opening = known is null ? answer : answer.Whole(known);
        _seen = opening.Standing == SessionStanding.Open ? opening : null;
        return opening;
    }

    private Task<T> CallAsync<T>(Func<ISessionGrain, Task<T>> call) => cluster.CallAsync(handle, caller, call);

    // As a web server beside the silo that has the session.
    private Task<T> CallHereAsync<T>(Func<ISessionGrain, Task<T>> call) =>
        cluster.LocalTo(caller)?.TryCall(handle, call) ?? CallAsync(call);

    private static Func<ISessionGrain, Task<bool>> Done(Func<ISessionGrain, Task> call) => async grain =>
    {
        await call(grain);
        return true;
    };
}
