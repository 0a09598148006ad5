namespace SessionActors;

/// <summary>What a session answers to whoever it gives a lease.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.LeaseGrant")]
public sealed class LeaseGrant
{
    /// <summary>The name of the lease: the id of the request that asked for it.</summary>
    [Id(0)]
    public required RequestId Id { get; init; }

    /// <summary>The fencing token: higher than that of every lease on this session before.</summary>
    [Id(1)]
    public required long Token { get; init; }

    /// <summary>How long the lease lives unless it is renewed (<c>LockExpiry</c>).</summary>
    [Id(2)]
    public required TimeSpan Expiry { get; init; }
}

/// <summary>
/// Exclusive access to a session, until it is disposed. It renews itself, up to <c>MaxLease</c>. What is done under it goes through
/// <see cref="NewRequest"/> or the calls here; a lease that was lost makes them throw <see cref="SessionLeaseLostException"/>.
/// <code>
/// await using var lease = await session.AcquireAsync();
/// await lease.CommitAsync(SessionDelta.Empty.Set("stock", Next(lease.Snapshot)));
/// </code>
/// </summary>
public sealed class SessionLease : IAsyncDisposable
{
    private const int RenewalsPerExpiry = 3;

    private readonly ISessionGrain _session;
    private readonly LeaseGrant _grant;
    private readonly TimeProvider _time;
    private readonly Func<Task>? _atEnd;
    private readonly CancellationTokenSource _lost;
    private readonly ITimer? _timer;
    private long _renewedAt;
    private bool _isOver;

    /// <param name="session">The session.</param>
    /// <param name="grant">What it granted.</param>
    /// <param name="snapshot">The session as it was then.</param>
    /// <param name="time">The clock to renew by.</param>
    /// <param name="atEnd">What is still to be done under the lease when it is disposed.</param>
    internal SessionLease(
        ISessionGrain session, LeaseGrant grant, SessionSnapshot snapshot, TimeProvider time, Func<Task>? atEnd = null)
    {
        (_session, _grant, _time, _atEnd, Snapshot) = (session, grant, time, atEnd, snapshot);
        _lost = new CancellationTokenSource();
        _renewedAt = time.GetTimestamp();
        var period = grant.Expiry / RenewalsPerExpiry;
        _timer = time.CreateTimer(static lease => _ = ((SessionLease)lease!).RenewAsync(), this, period, period);
    }

    /// <summary>A part of the time of a lease that goes on after it.</summary>
    internal SessionLease(SessionLease whole, SessionSnapshot snapshot, Func<Task> atEnd) =>
        (_session, _grant, _time, _lost, _atEnd, Snapshot) = (whole._session, whole._grant, whole._time, whole._lost, atEnd, snapshot);

    /// <summary>The name of the lease, for <see cref="SessionRequest.Lease"/>.</summary>
    public RequestId Id => _grant.Id;

    /// <summary>
    /// The fencing token: higher than that of every lease on this session before. Pass it to whatever else is changed under the lease and
    /// can refuse a lower one.
    /// </summary>
    public long Token => _grant.Token;

    /// <summary>The session as it was when the lease began. Nobody else changes it while the lease lasts.</summary>
    public SessionSnapshot Snapshot { get; }

    /// <summary>Is cancelled when the lease is known to be lost; what is committed under it is refused then.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>A request under this lease.</summary>
    public SessionRequest NewRequest() => SessionRequest.New() with { Lease = Id, LeaseToken = Token };

    /// <summary>Commits a delta under this lease; see <see cref="ISessionGrain.CommitAsync"/>.</summary>
    /// <exception cref="SessionLeaseLostException">The lease is lost; nothing was applied.</exception>
    public Task<long> CommitAsync(SessionDelta delta) =>
        _session.RetryAsync(NewRequest(), request => _session.CommitAsync(delta, request));

    /// <summary>
    /// Gives the lease back. One that cannot be given back, because the session is out of reach, ends by itself. A web request's lease
    /// commits before that what the request has changed, and throws what <c>CommitAsync</c> would.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await (_isOver || _atEnd is null ? Task.CompletedTask : _atEnd());
        }
        finally
        {
            await ReleaseAsync();
        }
    }

    /// <summary>Gives the lease back with whatever is left to do undone.</summary>
    internal async Task ReleaseAsync()
    {
        if (_isOver || _timer is null)
        {
            return;
        }

        _isOver = true;
        await _timer.DisposeAsync();
        try
        {
            await _session.ReleaseAsync(Id).WaitAsync(SessionRequest.DefaultPatience, _time);
        }
        catch (Exception e) when (IsOutOfReach(e))
        {
            // It ends by itself; whoever waits for it waits that much longer.
        }
    }

    private static bool IsOutOfReach(Exception e) =>
        e is SessionException || SessionGrainExtensions.IsLost(e);

    private async Task RenewAsync()
    {
        bool isLost;
        try
        {
            var isRenewed = await _session.RenewAsync(Id);
            _renewedAt = isRenewed ? _time.GetTimestamp() : _renewedAt;
            isLost = !isRenewed;
        }
        catch (Exception e) when (IsOutOfReach(e))
        {
            isLost = _time.GetElapsedTime(_renewedAt) >= _grant.Expiry;
        }

        if (isLost && !_isOver)
        {
            await _timer!.DisposeAsync();
            await _lost.CancelAsync();
        }
    }
}
