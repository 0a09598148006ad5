namespace SessionActors;

/// <summary>A session as a client has it: each call goes over the network, but for what the silo beside it has at hand.</summary>
internal sealed class SimSession(SessionHandle handle, SimCluster cluster, int caller) : ISessionGrain, IGrainBase
{
    public IGrainContext GrainContext { get; } = new StubContext(handle, null!, () => { });

    public ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide) =>
        cluster.LocalTo(caller)?.TryOpen(handle, secret, slide) is { } opening
            ? new(opening) : new(CallAsync(grain => grain.OpenAsync(secret, slide).AsTask()));

    public ValueTask<SessionSnapshot?> ReadAsync() => new(CallAsync(grain => grain.ReadAsync().AsTask()));

    public Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request) =>
        CallAsync(grain => grain.CreateAsync(session, request));

    public Task<long> CommitAsync(SessionDelta delta, SessionRequest request) => CallAsync(grain => grain.CommitAsync(delta, request));

    public Task<long> IncrementAsync(string name, long by, SessionRequest request) =>
        CallAsync(grain => grain.IncrementAsync(name, by, request));

    public Task<ReadOnlyMemory<byte>?> TakeAsync(string name, SessionRequest request) => CallAsync(grain => grain.TakeAsync(name, request));

    public Task<bool> CompareAndSetAsync(
        string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value, SessionRequest request) =>
        CallAsync(grain => grain.CompareAndSetAsync(name, expected, value, request));

    public Task<ReadOnlyMemory<byte>> GetOrSetAsync(string name, ReadOnlyMemory<byte> value, SessionRequest request) =>
        CallAsync(grain => grain.GetOrSetAsync(name, value, request));

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

    private Task<T> CallAsync<T>(Func<ISessionGrain, Task<T>> call) => cluster.CallAsync(handle, caller, call);

    private static Func<ISessionGrain, Task<bool>> Done(Func<ISessionGrain, Task> call) => async grain =>
    {
        await call(grain);
        return true;
    };
}
