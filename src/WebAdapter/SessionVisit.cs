using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>How a request stands to its session.</summary>
internal enum VisitPhase
{
    /// <summary>The session exists nowhere.</summary>
    New,

    /// <summary>It was opened, or created by this request.</summary>
    Open,

    /// <summary>Changes are dropped: it has a newer secret, or it ended while the request ran.</summary>
    Detached,

    /// <summary>Changes are ignored, by option: it could not be opened.</summary>
    Unavailable,
}

/// <summary>
/// One request at its session: what it sees and has changed, the connection to the grain, and the cookie that is due. The application sees
/// it as <see cref="ActorSession"/>.
/// </summary>
internal sealed partial class SessionVisit(SessionDoor door, HttpContext context)
{
    private readonly SessionCarrier _carrier = door.CarrierTo(context.GetEndpoint());
    private SessionOverlay? _overlay;
    private SessionConnection? _connection;
    private CookieChange _cookie;
    private bool _isBegun;
    private bool _headersAreGone;
    private bool _isOver;

    private enum CookieChange
    {
        None,
        Send,
        SendAgain,
        Delete,
    }

    public VisitPhase Phase { get; private set; }

    /// <summary>Why the session is not there, where the visit is detached.</summary>
    public SessionEndReason EndReason { get; private set; }

    /// <summary>Whose session it is; null while nobody has signed in.</summary>
    public string? UserId { get; private set; }

    public SessionOverlay Overlay => _overlay ??= new SessionOverlay();

    public SessionConnection Connection => _connection ??= new SessionConnection(door, SessionHandle.New());

    /// <summary>
    /// Whether there is something to commit. What is set in a session that may have no cookie is kept for this request only.
    /// </summary>
    public bool HasChanges => Phase switch
    {
        VisitPhase.New => _isBegun && IsCookieAllowed,
        VisitPhase.Open => Overlay.IsChanged || (_isToFollow && !_isGivenUp),
        _ => false,
    };

    /// <summary>What becomes of a commit that changes what somebody else has changed since this request read the session.</summary>
    public ConflictBehaviour OnConflict { get; set; } = door.OnConflict;

    /// <summary>The token that the request came with; null for none.</summary>
    public string? Token => _carrier.Read(context);

    /// <summary>Whether the application has looked at the session.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Whether the session is opened only when this request has it to itself.</summary>
    public bool IsExclusive { get; set; }

    public bool IsCookieAllowed => _carrier.IsAllowed(context);

    public bool IsTooLateForCookies => _headersAreGone || context.Response.HasStarted;

    /// <summary>The session is there, and this is how it was when it was opened.</summary>
    public void Open(SessionConnection connection, SessionOpening opening, bool sendsCookieAgain)
    {
        var snapshot = opening.Snapshot!;
        Phase = VisitPhase.Open;
        connection.Opened(snapshot.Generation, opening.IsUnderOldSecret);
        _connection = connection;
        _overlay = new SessionOverlay(snapshot);
        (UserId, _isUnlisted) = (snapshot.UserId, snapshot.IsUnlisted);
        _cookie = sendsCookieAgain && !opening.IsUnderOldSecret ? CookieChange.SendAgain : CookieChange.None;
    }

    /// <summary>Whether the request came with a secret that was rotated before.</summary>
    public bool IsUnderOldSecret { get; private set; }

    /// <summary>The request came with an old secret.</summary>
    public void BeSuperseded()
    {
        Detach(SessionEndReason.Rotated);
        IsUnderOldSecret = true;
    }

    /// <summary>From now on changes are dropped, and no cookie is sent over a newer one.</summary>
    public void Detach(SessionEndReason reason)
    {
        Phase = VisitPhase.Detached;
        EndReason = reason;
        _cookie = CookieChange.None;
        Forget();
    }

    /// <summary>The session could not be opened, and the request goes on without it.</summary>
    public void BeUnavailable() => Phase = VisitPhase.Unavailable;

    /// <summary>Tries again to open a session that could not be opened.</summary>
    public async Task OpenAgainAsync(CancellationToken token)
    {
        if (Token is { } cookie)
        {
            await door.OpenAsync(this, cookie, slide: true, token).AsTask().WaitAsync(token);
        }

        if (OldCookie is { } old && Phase == VisitPhase.Unavailable)
        {
            await door.ImportAsync(this, old, slide: true, token).WaitAsync(token);
        }

        if (Phase == VisitPhase.Unavailable)
        {
            Phase = VisitPhase.New;
        }
    }

    /// <summary>The session as it is when this request has it to itself.</summary>
    /// <param name="atEnd">What is still to be done when the lease is disposed.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task<SessionSnapshot> AcquireAsync(Func<Task> atEnd, CancellationToken token)
    {
        var opening = await Connection.AcquireAsync(slide: false, atEnd, token);
        if (_isOver)
        {
            // It did not wait for its turn, and nobody else would give it back.
            GiveTurnBack();
            throw new OperationCanceledException("The request is over, and its session is the next one's.");
        }

        return Opened(opening);
    }

    /// <summary>The session as it is now.</summary>
    /// <exception cref="SessionDestroyedException">It ended or got a new secret meanwhile.</exception>
    public async Task<SessionSnapshot> ReadAsync() => Opened(await Connection.OpenAsync(slide: false));

    private SessionSnapshot Opened(SessionOpening opening) => opening.Standing switch
    {
        SessionStanding.Open => opening.Snapshot!,
        SessionStanding.Superseded => throw new SessionDestroyedException(Connection.Handle.LogName, SessionEndReason.Rotated),
        _ => throw new SessionDestroyedException(Connection.Handle.LogName, opening.EndReason),
    };

    /// <summary>Something was set, so that a new session is created with the next commit, even if it is removed again.</summary>
    public void Begin() => _isBegun = true;

    /// <summary>Drops the changes that are not known to be stored.</summary>
    public void Forget()
    {
        _overlay?.Forget();
        if (Phase == VisitPhase.New && _connection is { IsAwaitingAnswer: true })
        {
            // It may have been created, and a handle is used once.
            _connection = null;
        }

        _connection?.Forget();
        _isBegun = false;
    }

    /// <summary>Commits what has changed; creates a new session even with nothing in it.</summary>
    public async Task StoreAsync(CancellationToken token)
    {
        var ownTtl = Overlay.OwnTtl;
        try
        {
            if (Phase == VisitPhase.New)
            {
                await CreateAsync(token);
                _isToFollow = true;
            }

            if (_isToFollow)
            {
                await FollowTicketAsync();
            }

            while (Overlay.IsChanged)
            {
                Overlay.Acknowledge(await Connection.CommitAsync(Overlay.Send(), OnConflict, token));
                door.Log.SessionStored(Connection.Handle, Overlay.Version);
            }
        }
        catch (SessionException e) when (e is SessionConflictException or SessionLeaseLostException)
        {
            // Not kept to be tried again: on a fresh snapshot they would hide what they were refused for, or overwrite that.
            Forget();
            throw;
        }
        catch (SessionException e) when (SessionConnection.IsCertain(e))
        {
            Overlay.TakeBack();
            throw;
        }

        // The cookie lives as long as the session may be idle.
        if (Overlay.OwnTtl != ownTtl)
        {
            RenewCookie();
        }

        if (_isUnlisted)
        {
            await TakePlaceAsync();
        }
    }

    private async Task CreateAsync(CancellationToken token)
    {
        SessionCreated created;
        try
        {
            created = await Connection.CreateAsync(Overlay.Send(), token);
        }
        catch (SessionException e) when (SessionConnection.IsCertain(e))
        {
            Overlay.TakeBack();
            throw;
        }

        Overlay.Acknowledge(created.Version);
        Overlay.LearnTtl(created.Ttl);
        Phase = VisitPhase.Open;
        SendCookie();
        door.Log.SessionStarted(Connection.Handle);
    }

    /// <summary>
    /// Commits on behalf of the middleware, and returns the failure that the client must be told of. Where the session ended meanwhile the
    /// changes are dropped, which is no failure: the response goes out.
    /// </summary>
    public async Task<Exception?> SaveAsync()
    {
        try
        {
            await StoreAsync(CancellationToken.None);
            return null;
        }
        catch (SessionDestroyedException e)
        {
            Drop(e);
            return null;
        }
        catch (Exception e)
        {
            var isIgnored = Ignores(e);
            _isGivenUp = true;
            Forget();
            return isIgnored ? null : e;
        }
    }

    /// <summary>The session ended while the request ran, and its changes with it.</summary>
    public void Drop(SessionDestroyedException e)
    {
        door.OnDropped(Connection.Handle, e);
        Detach(e.Reason);
    }

    /// <summary>Logs a failure of a call that the application did not make itself, and says whether that is to be all.</summary>
    public bool Ignores(Exception e)
    {
        door.Log.CommitFailed(Connection.Handle, e);
        // Any other failure is an answer: that of a session which is in reach.
        return door.IgnoresFailure && (e is SessionUnavailableException or not SessionException);
    }
}
