using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Lets requests in: reads the cookie, turns away what is not ours without troubling anybody, and opens the session. Holds what all
/// requests share.
/// </summary>
internal sealed partial class SessionDoor : IDisposable
{
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly EndedSessions _ended;
    private readonly WebMetrics _metrics;
    private readonly bool _endsOnOldSecret;
    private readonly Func<ClaimsPrincipal, string?>? _userIdOf;
    private ISessionGrain? _anySession;

    public SessionDoor(
        IGrainFactory grains,
        IOptions<ActorSessionOptions> options,
        IMeterFactory meters,
        ILoggerFactory loggers,
        IServiceProvider services,
        ILocalSessions? local = null)
    {
        (_grains, Local) = (grains, local);
        _time = options.Value.TimeProvider ?? TimeProvider.System;
        _ended = new EndedSessions(_time);
        _metrics = new WebMetrics(meters);
        Log = loggers.CreateLogger<ActorSessionMiddleware>();
        Keys = new CookieKeys(grains, _time);
        Cookie = new SessionCookie(options.Value, _time);
        Header = new SessionHeader(options.Value);
        (AbsoluteLifetime, ForbidsCaching) = (options.Value.AbsoluteLifetime, options.Value.NoStore);
        Calls = new SessionCalls(options.Value, _time);
        OnConflict = options.Value.OnConflict;
        _userIdOf = options.Value.UserIdOf;
        _endsOnOldSecret = options.Value.OnOldSecret == OldSecretBehaviour.EndSession;
        Seen = options.Value.SnapshotCacheBytes > 0 ? new SeenSnapshots(options.Value.SnapshotCacheBytes, local) : null;
        Import = options.Value.ImportFrom is { } from ? new SessionImport(from, options.Value, services, Log) : null;
        IgnoresFailure = options.Value.OnUnavailable == UnavailableBehaviour.Ignore;
    }

    /// <summary>The sessions of the silo in this process; null where there is none.</summary>
    public ILocalSessions? Local { get; }

    /// <summary>What was seen last of sessions in other processes; null where none is kept.</summary>
    public SeenSnapshots? Seen { get; }

    public CookieKeys Keys { get; }

    public SessionCookie Cookie { get; }

    public SessionHeader Header { get; }

    /// <summary>How long a session that begins here lives at most; null: as the silo says.</summary>
    public TimeSpan? AbsoluteLifetime { get; }

    /// <summary>Whether a response of a request that used the session is for nobody else.</summary>
    public bool ForbidsCaching { get; }

    public SessionCalls Calls { get; }

    public ILogger Log { get; }

    /// <summary>Whether requests go on without a session that cannot be reached.</summary>
    public bool IgnoresFailure { get; }

    /// <summary>What becomes of conflicts where the endpoint says nothing else.</summary>
    public ConflictBehaviour OnConflict { get; }

    public DateTimeOffset Now => _time.GetUtcNow();

    public long Timestamp => _time.GetTimestamp();

    public TimeSpan ElapsedSince(long timestamp) => _time.GetElapsedTime(timestamp);

    /// <summary>
    /// The session's grain. Orleans finds out by reflection, anew for each reference, what a .NET interface is called and who implements
    /// it. That would be a third of the time that opening a session takes here; one reference knows it for all.
    /// </summary>
    public ISessionGrain GrainOf(SessionHandle handle)
    {
        if (_anySession is not { } any)
        {
            return _anySession = _grains.GetGrain<ISessionGrain>(handle);
        }

        var reference = (GrainReference)any;
        return (ISessionGrain)_grains.GetGrain(GrainId.Create(reference.GrainId.Type, handle), reference.InterfaceType);
    }

    /// <summary>The id of a user who signs in; null where nothing says it.</summary>
    public string? UserIdOf(ClaimsPrincipal user) => _userIdOf is not null
        ? _userIdOf(user)
        : user.FindFirstValue(ClaimTypes.NameIdentifier) ?? user.FindFirstValue("sub") ?? user.Identity?.Name;

    /// <summary>What carries the token to an endpoint.</summary>
    public SessionCarrier CarrierTo(Endpoint? endpoint) =>
        endpoint?.Metadata.GetMetadata<SessionTransportAttribute>() is { Transport: SessionTransport.Header } ? Header : Cookie;

    /// <summary>Opens the session that a cookie names; the visit stays new where there is none.</summary>
    /// <param name="visit">The visit.</param>
    /// <param name="cookie">The cookie.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    /// <param name="aborted">Ends the wait of an exclusive visit for its turn.</param>
    /// <param name="asks">Whether it is asked for though this server lately found it ended.</param>
    /// <exception cref="SessionUnavailableException">It cannot be reached.</exception>
    /// <exception cref="SessionLeaseTimeoutException">Others had it to themselves for too long, or too many wait.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask OpenAsync(
        SessionVisit visit, string cookie, bool slide, CancellationToken aborted, bool asks = false)
    {
        var reading = SessionToken.Read(cookie, Keys.Known, Now, out var token);
        if (reading == TokenReading.UnknownKey)
        {
            var ring = await Keys.FetchAsync();
            reading = SessionToken.Read(cookie, ring, Now, out token);
        }

        if (reading == TokenReading.Expired)
        {
            Log.SessionExpired(token.Handle, SessionEndReason.Lifetime);
            return;
        }

        if (reading != TokenReading.Genuine)
        {
            // One of ASP.NET Core's own, where it has the name of ours, is looked at as such.
            if (reading != TokenReading.Malformed || visit.OldCookie != cookie)
            {
                Refuse(reading);
            }

            return;
        }

        if (!asks && HasEnded(token.Handle))
        {
            visit.WasNotAskedFor = true;
            Opened(SessionStanding.Ended);
            return;
        }

        using var activity = SessionTelemetry.Start("open session", token.Handle);
        try
        {
            var connection = new SessionConnection(this, token);
            var opening = await OpenAsync(visit, connection, slide, aborted);
            await EnterAsync(
                visit, token.Handle, connection, opening,
                sendsCookie: opening.Snapshot is { } snapshot && IsToBeSentAgain(token, snapshot));
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
    }

    private static ValueTask<SessionOpening> OpenAsync(
        SessionVisit visit, SessionConnection connection, bool slide, CancellationToken aborted) =>
        visit.IsExclusive ? new(connection.AcquireAsync(slide, atEnd: null, aborted)) : connection.OpenAsync(slide);

    private ValueTask EnterAsync(
        SessionVisit visit, SessionHandle handle, SessionConnection connection, SessionOpening opening, bool sendsCookie)
    {
        Opened(opening.Standing);
        switch (opening.Standing)
        {
            case SessionStanding.Open:
                visit.Open(connection, opening, sendsCookie);
                Log.SessionLoaded(handle, opening.Snapshot!.Version, opening.Snapshot.Properties.Count);
                break;
            case SessionStanding.Superseded:
                visit.BeSuperseded();
                Log.SessionSuperseded(handle);
                return _endsOnOldSecret ? EndAsync(handle, connection) : default;
            default:
                OnEnded(handle, opening.EndReason);
                break;
        }

        return default;
    }

    /// <summary>Whether this server lately found the session ended.</summary>
    public bool HasEnded(SessionHandle handle) => _ended.Contains(handle);

    /// <summary>A session was found ended: it needs no look-up for a while.</summary>
    public void OnEnded(SessionHandle handle, SessionEndReason reason)
    {
        _ended.Add(handle);
        Log.SessionExpired(handle, reason);
    }

    private async ValueTask EndAsync(SessionHandle handle, SessionConnection connection)
    {
        await connection.RevokeAsync();
        _ended.Add(handle);
    }

    private void Refuse(TokenReading reading)
    {
        _metrics.OnCookieRefused();
        Log.CookieRefused(reading);
    }

    /// <summary>A request came with what leads to a session.</summary>
    public void Opened(SessionStanding standing) => _metrics.OnOpened(standing);

    /// <summary>A session could not be opened, or not when it was the request's turn.</summary>
    public void NotOpened(Exception e)
    {
        _metrics.OnNotOpened(e);
        if (e is SessionLeaseTimeoutException)
        {
            Log.TurnDidNotCome(e);
        }
        else
        {
            Log.OpeningFailed(e);
        }
    }

    /// <summary>The changes of a request were dropped because its session ended while it ran.</summary>
    public void OnDropped(SessionHandle handle, SessionDestroyedException e)
    {
        _metrics.OnCommitDropped();
        Log.ChangesDropped(handle, e.Reason);
    }

    /// <summary>A session was destroyed here: its cookie needs no look-up.</summary>
    public void OnDestroyed(SessionHandle handle)
    {
        _ended.Add(handle);
        Log.SessionDestroyed(handle);
    }

    public void Dispose()
    {
        _ended.Dispose();
        Seen?.Dispose();
    }

    // A cookie under an older key would be refused once that key has gone; a persistent one would end while its session is in use.
    private bool IsToBeSentAgain(in SessionToken token, SessionSnapshot snapshot) =>
        token.KeyId != Keys.Known!.Keys[0].Id
        || (snapshot.HasOwnTtl && TimeSpan.FromSeconds(Now.ToUnixTimeSeconds() - token.Issued) > snapshot.Ttl / 2);
}
