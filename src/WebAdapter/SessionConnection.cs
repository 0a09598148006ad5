namespace SessionActors;

/// <summary>
/// The calls of one request to the grain of its session, with the secret that opens it. A change that nobody answered for may have been
/// made or not: tried again, it is the same call with the same request id.
/// </summary>
internal sealed class SessionConnection
{
    // What lies between the two is one call; a server that dies there leaves its visitor to sign in again.
    private static readonly TimeSpan JoinWait = TimeSpan.FromSeconds(2), JoinPause = TimeSpan.FromMilliseconds(50);

    private readonly SessionDoor _door;
    private ISessionGrain? _grain;
    private SessionToken _token;
    private SessionToken _nextToken;
    private SessionRequest? _commit;
    private SessionRequest? _rotation;
    private long? _unansweredSince;
    private int? _generation;
    private RequestId? _first;

    /// <summary>To a session that exists nowhere yet.</summary>
    public SessionConnection(SessionDoor door, SessionHandle handle)
    {
        _door = door;
        Handle = handle;
    }

    /// <summary>To a session that a cookie names.</summary>
    public SessionConnection(SessionDoor door, in SessionToken token)
        : this(door, token.Handle) => _token = token;

    public SessionHandle Handle { get; }

    /// <summary>Whether a create or commit was sent and not answered.</summary>
    public bool IsAwaitingAnswer => _commit is not null;

    /// <summary>The cookie, issued now.</summary>
    public string Cookie => _token.IssuedNow(_door.Now).Write(_door.Keys.Known!.Keys[0]);

    /// <summary>The lease that changes are made under, where this request has one.</summary>
    public SessionLease? Lease { get; private set; }

    /// <summary>
    /// Opens the session: without a call to its grain where that is in this process and has nothing to do. From another process comes what
    /// this server has not seen of it.
    /// </summary>
    public ValueTask<SessionOpening> OpenAsync(bool slide)
    {
        var secret = _token.Hash;
        return _door.Local?.TryOpen(Handle, secret, slide) is { } opening ? new(opening)
            : _door.Seen is not { } seen || _door.Local?.Has(Handle) is true
                ? _door.Calls.OpenAsync(Grain, Handle, secret, slide, known: null)
            : seen.OpenAsync(_door.Calls, Grain, Handle, secret, slide);
    }

    /// <summary>Opens the session when this request has it to itself. <c>LeaseWait</c> bounds the wait.</summary>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    /// <param name="atEnd">What is still to be done when the lease is disposed.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="SessionLeaseTimeoutException">Others had it for too long, or too many wait.</exception>
    public async Task<SessionOpening> AcquireAsync(bool slide, Func<Task>? atEnd, CancellationToken token)
    {
        var opening = await Grain.AcquireAsync(_token.Hash, slide, NewRequest(), token);
        // Renewed by the real clock, whatever the application dates cookies by: the session's is real, too.
        Lease = opening.Lease is { } grant
            ? new SessionLease(Grain, grant, opening.Snapshot!, TimeProvider.System, atEnd)
            : null;
        return opening;
    }

    /// <summary>The lease has ended, or is about to.</summary>
    public SessionLease? LeaveLease()
    {
        var lease = Lease;
        Lease = null;
        return lease;
    }

    /// <summary>The session was opened under this generation of its secret: changes are refused once there is another.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="isOvertaken">Whether it is opened with the secret before that, which is let in for a moment longer.</param>
    public void Opened(int generation, bool isOvertaken) => (_generation, IsOvertaken) = (generation, isOvertaken);

    /// <summary>Ends the session whose secret somebody has kept for too long.</summary>
    public Task RevokeAsync() => ChangeAsync(request => Grain.EndAsync(SessionEndReason.Revoked, request));

    /// <summary>Creates the session under a secret drawn for it.</summary>
    public async Task<SessionCreated> CreateAsync(SessionDelta delta, CancellationToken token)
    {
        // The keys come first: a session whose cookie cannot be signed is lost.
        await _door.Keys.GetAsync();
        if (_commit is null)
        {
            _token = SessionToken.New(Handle);
            _commit = NewRequest();
        }

        var session = new NewSession { Secret = _token.Hash, Delta = delta, AbsoluteLifetime = _door.AbsoluteLifetime };
        var created = await CommitAsync(_commit, request => Grain.CreateAsync(session, request), token);
        _token = _token.Created(_door.Now, created.LifetimeLeft);
        _generation = created.Generation;
        return created;
    }

    /// <summary>Creates the session out of an old one, unless another request has done so.</summary>
    /// <param name="properties">What the old one holds.</param>
    /// <param name="readAt">
    /// When it was read, by the real clock: the session's deadline counts from there, so that nothing is made of what somebody else has
    /// brought over, and ended, long since.
    /// </param>
    /// <returns>Whether this request did; false where it is there already, or has ended.</returns>
    /// <exception cref="SessionUnavailableException">Nobody knows whether it is there.</exception>
    public async Task<bool> ImportAsync(SessionDelta properties, long readAt)
    {
        var request = _door.Calls.NewRequest(generation: null, first: null) with
        {
            UnansweredFor = TimeProvider.System.GetElapsedTime(readAt),
        };
        var session = new NewSession { Secret = _token.Hash, Delta = properties, AbsoluteLifetime = _door.AbsoluteLifetime };
        try
        {
            var created = await ChangeAsync(request, again => Grain.CreateAsync(session, again), CancellationToken.None);
            _token = _token.Created(_door.Now, created.LifetimeLeft);
            return true;
        }
        catch (SessionDestroyedException)
        {
            return false;
        }
        catch (SessionUnavailableException e) when (e.MayBeApplied)
        {
            // It does not matter who created it.
            if (await _door.Calls.ReadAsync(Grain, Handle) is null)
            {
                throw;
            }

            return false;
        }
    }

    public Task<long> CommitAsync(SessionDelta delta, ConflictBehaviour onConflict, CancellationToken token)
    {
        _commit = _commit is { } sent ? Again(sent) : NewRequest(onConflict);
        return CommitAsync(_commit, request => CallAsync(grain => grain.CommitAsync(delta, request)), token);
    }

    /// <summary>Makes an atomic operation, which needs no commit.</summary>
    public Task<T> OperateAsync<T>(Func<ISessionGrain, SessionRequest, Task<T>> operation) =>
        ChangeAsync(NewRequest(), request => CallAsync(grain => operation(grain, request)), CancellationToken.None);

    /// <summary>
    /// Whether another request has given the session the newest secret: this one goes on under it, and has no cookie to send.
    /// </summary>
    public bool IsOvertaken { get; private set; }

    /// <summary>Makes the session a user's.</summary>
    public async Task BindAsync(UserBinding user)
    {
        if (IsOvertaken)
        {
            await JoinAsync(user.UserId);
        }

        await ChangeAsync(request => Grain.BindAsync(user, request));
    }

    /// <summary>
    /// Gives the session a new secret. Where another request has just done that, which read the session as this one did, theirs is this
    /// one's too: two that sign somebody in at once are one change of privilege. This one goes on under the new secret once the session is
    /// the user's who signs in here; until then its changes are from before the rotation, as those of any other request that was under way.
    /// </summary>
    /// <param name="userId">Who signs in; null where that is not known yet.</param>
    /// <exception cref="SessionDestroyedException">It has had more than one, or has become somebody else's.</exception>
    public async Task RegenerateAsync(string? userId)
    {
        try
        {
            if (!IsOvertaken)
            {
                await RotateAsync();
            }
        }
        catch (SessionDestroyedException e) when (e.Reason == SessionEndReason.Rotated && _generation is not null)
        {
            IsOvertaken = true;
        }

        if (IsOvertaken && userId is not null)
        {
            await JoinAsync(userId);
        }
    }

    // The other request binds the session after it has rotated the secret.
    private async Task JoinAsync(string userId)
    {
        for (var waited = TimeSpan.Zero; ; waited += JoinPause)
        {
            var session = await _door.Calls.ReadAsync(Grain, Handle);
            var isNext = session?.Generation - _generation is 0 or 1;
            if (isNext && session!.UserId == userId)
            {
                (_generation, _rotation) = (session.Generation, null);
                _commit = _commit is null ? null : _commit with { Generation = _generation };
                return;
            }

            if (!isNext || session!.UserId is not null || waited >= JoinWait)
            {
                throw new SessionDestroyedException(Handle.LogName, SessionEndReason.Rotated);
            }

            await Task.Delay(JoinPause, TimeProvider.System);
        }
    }

    private async Task RotateAsync()
    {
        if (_rotation is null)
        {
            _nextToken = _token.WithNewSecret();
        }

        _rotation = _rotation is { } sent ? Again(sent) : NewRequest();

        try
        {
            var secret = _nextToken.Hash;
            _generation = await ChangeAsync(_rotation, request => Grain.RegenerateAsync(secret, request), CancellationToken.None);
            _token = _nextToken;
            _rotation = null;
            // What was sent before and not answered is still this request's, and is refused under the generation that was replaced here.
            _commit = _commit is null ? null : _commit with { Generation = _generation };
        }
        catch (SessionException e) when (IsCertain(e))
        {
            _rotation = null;
            throw;
        }
    }

    public Task DestroyAsync() => ChangeAsync(request => Grain.DestroyAsync(request));

    /// <summary>Gives up what was not answered for.</summary>
    public void Forget()
    {
        _commit = null;
        _unansweredSince = null;
    }

    /// <summary>Whether this failure says that the change was not made.</summary>
    public static bool IsCertain(SessionException e) => e is not SessionUnavailableException { MayBeApplied: true };

    // What is made often needs no message where the session is in this process.
    private Task<T> CallAsync<T>(Func<ISessionGrain, Task<T>> call) => _door.Local?.TryCall(Handle, call) ?? call(Grain);

    private ISessionGrain Grain => _grain ??= _door.GrainOf(Handle);

    private SessionRequest NewRequest(ConflictBehaviour onConflict = default)
    {
        var request = _door.Calls.NewRequest(_generation, _first, Lease, onConflict);
        _first ??= request.Id;
        return request;
    }

    // What was first sent before this request had a lease must not wait for it to end.
    private SessionRequest Again(SessionRequest sent) =>
        sent.Lease is not null ? sent : sent with { Lease = Lease?.Id, LeaseToken = Lease?.Token };

    private async Task<T> CommitAsync<T>(SessionRequest request, Func<SessionRequest, Task<T>> call, CancellationToken token)
    {
        var sentAt = _door.Timestamp;
        try
        {
            var again = _unansweredSince is { } since ? request with { UnansweredFor = _door.ElapsedSince(since) } : request;
            var result = await ChangeAsync(again, call, token);
            Forget();
            return result;
        }
        catch (SessionException e) when (IsCertain(e))
        {
            Forget();
            throw;
        }
        catch
        {
            _unansweredSince ??= sentAt;
            throw;
        }
    }

    private Task ChangeAsync(Func<SessionRequest, Task> call) =>
        _door.Calls.ChangeAsync(Grain, Handle, NewRequest(), call, CancellationToken.None);

    private Task<T> ChangeAsync<T>(SessionRequest request, Func<SessionRequest, Task<T>> call, CancellationToken token) =>
        _door.Calls.ChangeAsync(Grain, Handle, request, call, token);
}
