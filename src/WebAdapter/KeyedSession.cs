using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// One request's session where ASP.NET Core's own middleware (<c>UseSession</c>) is kept, whose browsers send one key for ever, also when
/// the session has ended. A handle never lives again, so the key leads to one session after the other: an index under a handle of its own
/// says which one is the present one.
/// <code>
/// key ─┬► handle of the index ──► { session: handle of the present session }
///      └► secret of both
/// begin: create a session under a new handle ─► lead the index from the one before to it: compare and set
///        another request was faster: destroy it again, and commit to theirs
/// </code>
/// So what was set in one session is never seen in the next one, and a commit that began before the end of its session is refused: it goes
/// to a handle that has ended.
/// </summary>
internal sealed class KeyedSession(
    SessionDoor door, SessionKey key, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablish, bool isNewKey) : ISession
{
    // Others may end what they begin at once, but not again and again.
    private const int MostTries = 5;

    private readonly SessionOverlay _overlay = new();
    private readonly SessionIndex _index = new(door, key);

    private readonly TimeSpan _idleTimeout = TimeSpan.FromTicks(
        long.Clamp(idleTimeout.Ticks, SessionDelta.MinTtl.Ticks, SessionDelta.MaxTtl.Ticks));

    private SessionConnection? _connection;
    private SessionHandle? _indexed;
    private SessionHandle? _next;
    private bool _isLoaded;
    private bool _isAvailable;
    private bool _isBegun;

    public bool IsAvailable
    {
        get
        {
            Load();
            return _isAvailable;
        }
    }

    public string Id => IsAvailable ? Handle.ToString() : "";

    public IEnumerable<string> Keys
    {
        get
        {
            Load();
            return _overlay.Keys;
        }
    }

    private SessionHandle Handle => _connection?.Handle ?? (_next ??= SessionHandle.New());

    private bool HasChanges => _connection is null ? _isBegun : _overlay.IsChanged;

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        ArgumentNullException.ThrowIfNull(key);
        Load();
        return _overlay.TryGetValue(key, out value);
    }

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        if (!IsAvailable)
        {
            return;
        }

        SessionOverlay.CheckName(key);
        if (!tryEstablish())
        {
            throw new InvalidOperationException(
                "The session cannot be established after the response has started, because its cookie cannot be sent any more. "
                + "Set something before anything is written.");
        }

        _overlay.Set(key, value);
        _isBegun = true;
    }

    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (IsAvailable)
        {
            _overlay.Remove(key);
        }
    }

    public void Clear()
    {
        if (IsAvailable)
        {
            _overlay.Clear();
        }
    }

    public Task LoadAsync(CancellationToken cancellationToken = default)
    {
        if (!_isLoaded && isNewKey)
        {
            _isLoaded = _isAvailable = true;
        }

        // One that could not be loaded is tried again: whoever asks is told.
        return _isLoaded && _isAvailable ? Task.CompletedTask : WithinAsync(FindAsync, "loaded", cancellationToken);
    }

    /// <summary>
    /// Stores what has changed. Of a session that was not looked at it is the renewal, as with the middleware's own store.
    /// </summary>
    public Task CommitAsync(CancellationToken cancellationToken = default) =>
        !_isLoaded ? LoadAsync(cancellationToken)
        : _isAvailable && HasChanges ? WithinAsync(StoreAsync, "committed", cancellationToken)
        : Task.CompletedTask;

    /// <summary>Loads it, or notes that it is not available.</summary>
    public async Task TryLoadAsync()
    {
        try
        {
            await LoadAsync();
        }
        catch (Exception e)
        {
            door.NotOpened(e);
            _isLoaded = true;
        }
    }

    // Waited for in place, as the middleware's own store does: ISession is synchronous.
    private void Load()
    {
        if (!_isLoaded)
        {
            TryLoadAsync().GetAwaiter().GetResult();
        }
    }

    private async Task FindAsync(IoLimit limit)
    {
        using var activity = SessionTelemetry.Start("open session", key.Index.Handle);
        try
        {
            var standing = SessionStanding.Ended;
            if (await limit.WaitAsync(_index.OpenAsync()) is { } handle)
            {
                activity.IsOf(handle);
                standing = await OpenAsync(handle, limit);
            }

            door.Opened(standing);
            _isLoaded = _isAvailable = true;
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
    }

    /// <summary>Opens a session that the index leads to, where it is there.</summary>
    private async ValueTask<SessionStanding> OpenAsync(SessionHandle handle, IoLimit limit)
    {
        _indexed = handle;
        if (door.HasEnded(handle))
        {
            return SessionStanding.Ended;
        }

        var connection = new SessionConnection(door, key.TokenOf(handle));
        var opening = await limit.WaitAsync(connection.OpenAsync(slide: true));
        if (opening.Snapshot is { } snapshot)
        {
            // Nobody waits for it, so that a store out of reach keeps no reader waiting: the next request tries again.
            _index.OutliveAsync(snapshot.Ttl > _idleTimeout ? snapshot.Ttl : _idleTimeout).Ignore();
            connection.Opened(snapshot.Generation, opening.IsUnderOldSecret);
            _connection = connection;
            _overlay.Rebase(snapshot);
            door.Log.SessionLoaded(handle, snapshot.Version, snapshot.Properties.Count);
        }
        else if (opening.Standing == SessionStanding.Ended)
        {
            door.OnEnded(handle, opening.EndReason);
        }

        return opening.Standing;
    }

    private async Task StoreAsync(IoLimit limit)
    {
        _overlay.SetTtl(_idleTimeout);
        var connection = _connection ?? await BeginAsync(limit);
        try
        {
            while (_overlay.IsChanged)
            {
                _overlay.Acknowledge(await connection.CommitAsync(_overlay.Send(), ConflictBehaviour.LastWriterWins, limit.Token));
                door.Log.SessionStored(connection.Handle, _overlay.Version);
            }
        }
        catch (SessionDestroyedException e)
        {
            door.OnDropped(connection.Handle, e);
            _overlay.Forget();
            throw;
        }
        catch (SessionException e) when (SessionConnection.IsCertain(e))
        {
            _overlay.TakeBack();
            throw;
        }
    }

    private async Task<SessionConnection> BeginAsync(IoLimit limit)
    {
        var first = _overlay.Send();
        try
        {
            for (var tries = 0; tries < MostTries; tries++)
            {
                // Each try has a handle of its own, so that nothing has to be known of those before: what they may have left, nothing
                // leads to, or this one finds it.
                var connection = new SessionConnection(door, key.TokenOf(Handle));
                _next = null;
                var session = new NewSession { Secret = key.Hash, Delta = first, AbsoluteLifetime = door.AbsoluteLifetime };
                var created = await limit.WaitAsync(connection.OperateAsync((grain, request) => grain.CreateAsync(session, request)));
                var indexed = await limit.WaitAsync(LeadToAsync(connection));
                if (indexed == connection.Handle)
                {
                    connection.Opened(created.Generation, isOvertaken: false);
                    (_connection, _indexed) = (connection, indexed);
                    _overlay.Acknowledge(created.Version);
                    door.Log.SessionStarted(indexed);
                    return connection;
                }

                connection.DestroyAsync().Ignore();
                await OpenAsync(indexed, limit);
                if (_connection is { } theirs)
                {
                    _overlay.TakeBack();
                    return theirs;
                }
            }
        }
        catch
        {
            _overlay.TakeBack();
            throw;
        }

        _overlay.TakeBack();
        throw SessionUnavailableException.NotApplied(
            key.Index.Handle.LogName, $"other requests have begun and ended its visitor's session {MostTries} times meanwhile.");
    }

    /// <summary>Leads the index to a new session, which goes again where it certainly does not.</summary>
    private async Task<SessionHandle> LeadToAsync(SessionConnection next)
    {
        try
        {
            return await _index.LeadAsync(_indexed, next.Handle, _idleTimeout);
        }
        catch (SessionException e) when (SessionConnection.IsCertain(e))
        {
            next.DestroyAsync().Ignore();
            throw;
        }
    }

    private async Task WithinAsync(Func<IoLimit, Task> step, string what, CancellationToken cancellationToken)
    {
        using var limit = new IoLimit(ioTimeout, cancellationToken);
        try
        {
            await step(limit);
        }
        catch (OperationCanceledException e) when (limit.IsOver)
        {
            throw limit.Over(what, e);
        }
    }
}
