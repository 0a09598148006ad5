using System.Diagnostics.CodeAnalysis;

namespace SessionActors;

/// <summary>What the application sees of a visit: checks what it asks for, and refuses what cannot be done.</summary>
internal sealed class ActorSession(SessionVisit visit, bool isReadOnly) : IActorSession
{
    private bool _hasDropped;

    private AtomicOperations Atomic => field ??= new AtomicOperations(this, visit);

    public SessionHandle Handle => visit.Connection.Handle;

    public string Id => Handle.ToString();

    public bool IsAvailable => visit.Phase != VisitPhase.Unavailable;

    public bool IsNew => visit.Phase == VisitPhase.New;

    public long Version => visit.Overlay.Version;

    public IEnumerable<string> Keys => visit.Overlay.Keys;

    public TimeSpan? Ttl
    {
        get => visit.Overlay.Ttl;
        set
        {
            if (value is not { } ttl || ttl < SessionDelta.MinTtl || ttl > SessionDelta.MaxTtl)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The idle time-out of a session is 1 s to 3650 days.");
            }

            if (TakesChanges())
            {
                visit.Overlay.SetTtl(ttl);
            }
        }
    }

    public ConflictBehaviour OnConflict
    {
        get => visit.OnConflict;
        set => visit.OnConflict = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, null);
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!isReadOnly && TempDataTake.IsDue(visit, key))
        {
            TempDataTake.Take(visit);
        }

        return visit.Overlay.TryGetValue(key, out value);
    }

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        if (BeginsChange(key))
        {
            visit.Overlay.Set(key, value);
        }
    }

    /// <summary>The application reads the property as JSON.</summary>
    public void See(string key) => visit.Overlay.See(key);

    /// <summary>Sets a property to JSON by what is different in it from what the application has seen.</summary>
    public void Merge(string key, byte[] json, Func<ReadOnlyMemory<byte>, byte[]?> rewrite)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (BeginsChange(key))
        {
            visit.Overlay.Merge(key, json, rewrite);
        }
    }

    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        // MVC does it after each page, for the messages that there are none of.
        var isNoChange = isReadOnly && !visit.Overlay.TryGetValue(key, out _);
        if (!isNoChange && TakesChanges())
        {
            visit.Overlay.Remove(key);
        }
    }

    public void Clear()
    {
        if (TakesChanges())
        {
            visit.Overlay.Clear();
        }
    }

    public void Forget()
    {
        visit.Forget();
        _hasDropped = false;
    }

    // Loaded before the endpoint ran, unless that failed and the request was let go on.
    public Task LoadAsync(CancellationToken cancellationToken = default) =>
        IsAvailable ? Task.CompletedTask : visit.OpenAgainAsync(cancellationToken);

    public Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (_hasDropped)
        {
            RefuseAbsent();
        }

        return visit.HasChanges ? visit.StoreAsync(cancellationToken) : Task.CompletedTask;
    }

    public async Task DestroyAsync()
    {
        RefuseReadOnly();
        if (!IsAvailable)
        {
            RefuseAbsent();
        }

        await visit.DestroyAsync();
        _hasDropped = false;
    }

    public string? UserId => visit.UserId;

    public async Task BindAsync(string userId, string? device)
    {
        RefuseReadOnly();
        RefuseAbsent();
        RefuseLateStart();
        if (IsNew && !visit.IsCookieAllowed)
        {
            throw new InvalidOperationException(
                "The session cannot become a user's, because the visitor has not consented to cookies and would not find it again. Ask for "
                + "consent first, or make the cookie essential (ActorSessionOptions.Cookie.IsEssential).");
        }

        await visit.BindAsync(userId, device);
    }

    public async Task RegenerateAsync()
    {
        RefuseReadOnly();
        if (visit.IsUnderOldSecret)
        {
            // A browser that never got the newest one is not to be locked out: who signs in here begins with a new session.
            await DestroyAsync();
            return;
        }

        RefuseAbsent();
        if (IsNew)
        {
            return;
        }

        if (visit.IsTooLateForCookies)
        {
            throw new InvalidOperationException(
                "The session cannot get a new secret after the response has started, because its cookie cannot be sent any more. "
                + "Call RegenerateAsync before anything is written.");
        }

        if (!visit.IsCookieAllowed)
        {
            throw new InvalidOperationException(
                "The session cannot get a new secret, because the visitor has not consented to cookies and would be left with the old one. "
                + "Ask for consent first, or make the cookie essential (ActorSessionOptions.Cookie.IsEssential).");
        }

        await visit.RegenerateAsync();
    }

    public async Task ReloadAsync()
    {
        RefuseAbsent();
        if (IsNew)
        {
            return;
        }

        visit.Overlay.Rebase(await visit.ReadAsync());
    }

    public async Task<SessionLease> AcquireAsync(CancellationToken cancellationToken = default)
    {
        await Atomic.BeginAsync();
        var connection = visit.Connection;
        var whole = connection.Lease;
        var snapshot = whole is null ? await visit.AcquireAsync(CommitAndLeaveAsync, cancellationToken) : await visit.ReadAsync();
        visit.Overlay.Rebase(snapshot);
        return whole is null ? connection.Lease! : new SessionLease(whole, snapshot, () => CommitAsync(CancellationToken.None));

        async Task CommitAndLeaveAsync()
        {
            try
            {
                await CommitAsync(CancellationToken.None);
            }
            catch
            {
                // With the commit at the end of the request they would be stored over what others change from now on.
                visit.Forget();
                throw;
            }
            finally
            {
                connection.LeaveLease();
            }
        }
    }

    public Task<long> IncrementAsync(string name, long by = 1) => Atomic.IncrementAsync(name, by);

    public Task<byte[]?> TakeAsync(string name) => Atomic.TakeAsync(name);

    public Task<bool> CompareAndSetAsync(string name, byte[]? expected, byte[]? value) =>
        Atomic.CompareAndSetAsync(name, expected, value);

    public Task<byte[]> GetOrSetAsync(string name, byte[] value) => Atomic.GetOrSetAsync(name, value);

    public Task<byte[]?> UpdateAsync(string name, Func<byte[]?, byte[]?> update) => Atomic.UpdateAsync(name, update);

    public void RefuseReadOnly()
    {
        if (isReadOnly)
        {
            throw new InvalidOperationException(
                "This endpoint has SessionAccess.ReadOnly and cannot change the session. Give it SessionAccess.Shared.");
        }
    }

    public void RefuseLateStart()
    {
        if (IsNew && visit.IsTooLateForCookies)
        {
            throw new InvalidOperationException(
                "The session cannot be established after the response has started, because its cookie cannot be sent any more. "
                + "Set something before anything is written.");
        }
    }

    /// <summary>
    /// Whether an atomic operation is done to nothing, and dropped: the request came with an old secret. That may be a browser which never
    /// got the answer with the new one, and goes on with an empty session until somebody signs in.
    /// </summary>
    public bool IsDoneToNothing(string name)
    {
        SessionOverlay.CheckName(name);
        RefuseReadOnly();
        _hasDropped |= visit.IsUnderOldSecret;
        return visit.IsUnderOldSecret;
    }

    public void RefuseAbsent()
    {
        if (visit.Phase == VisitPhase.Detached)
        {
            throw new SessionDestroyedException(Handle.LogName, visit.EndReason);
        }

        if (visit.Phase == VisitPhase.Unavailable)
        {
            throw SessionUnavailableException.NotApplied(Handle.LogName, "it could not be opened when the request began.");
        }
    }

    private bool BeginsChange(string key)
    {
        if (!TakesChanges())
        {
            return false;
        }

        SessionOverlay.CheckName(key);
        RefuseLateStart();
        visit.Begin();
        return true;
    }

    private bool TakesChanges()
    {
        RefuseReadOnly();
        var takes = visit.Phase is VisitPhase.New or VisitPhase.Open;
        _hasDropped |= !takes;
        return takes;
    }
}
