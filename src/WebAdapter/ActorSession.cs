using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace SessionActors;

/// <summary>What the application sees of a visit: checks what it asks for, and refuses what cannot be done.</summary>
internal sealed class ActorSession(SessionVisit visit, bool isReadOnly) : IActorSession
{
    private static readonly TimeSpan ShortestTtl = TimeSpan.FromSeconds(1);

    private bool _hasDropped;

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
            if (value is not { } ttl || ttl < ShortestTtl)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The idle time-out of a session is 1 s at least.");
            }

            if (TakesChanges())
            {
                visit.Overlay.SetTtl(ttl);
            }
        }
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        ArgumentNullException.ThrowIfNull(key);
        return visit.Overlay.TryGetValue(key, out value);
    }

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        Change(key, overlay => overlay.Set(key, value));
    }

    /// <summary>The application reads the property as JSON.</summary>
    public void See(string key) => visit.Overlay.See(key);

    /// <summary>Sets a property to JSON by what is different in it from what the application has seen.</summary>
    public void Merge(string key, byte[] json, Func<ReadOnlyMemory<byte>, byte[]?> rewrite)
    {
        ArgumentNullException.ThrowIfNull(key);
        Change(key, overlay => overlay.Merge(key, json, rewrite));
    }

    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (TakesChanges())
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

    public async Task RegenerateAsync()
    {
        RefuseReadOnly();
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

        await visit.RegenerateAsync();
    }

    public async Task ReloadAsync()
    {
        RefuseAbsent();
        if (IsNew)
        {
            return;
        }

        var opening = await visit.Connection.OpenAsync(slide: false);
        visit.Overlay.Rebase(opening.Standing switch
        {
            SessionStanding.Open => opening.Snapshot!,
            SessionStanding.Superseded => throw new SessionDestroyedException(Handle.LogName, SessionEndReason.Rotated),
            _ => throw new SessionDestroyedException(Handle.LogName, opening.EndReason),
        });
    }

    public async Task<long> IncrementAsync(string name, long by = 1)
    {
        SessionOverlay.CheckName(name);
        RefuseReadOnly();
        RefuseAbsent();
        RefuseLateStart();
        if (IsNew)
        {
            if (!visit.IsCookieAllowed)
            {
                throw new InvalidOperationException(
                    "The session cannot be created, because the visitor has not consented to cookies. "
                    + "Ask for consent first, or make the cookie essential (ActorSessionOptions.Cookie.IsEssential).");
            }

            await visit.StoreAsync(CancellationToken.None);
        }

        if (visit.Overlay.Changes(name))
        {
            throw new InvalidOperationException(
                "The property has a change in this request that is not committed and would overwrite the sum. "
                + "Call CommitAsync before IncrementAsync.");
        }

        var sum = await visit.Connection.IncrementAsync(name, by);
        var bytes = new byte[sum == (int)sum ? sizeof(int) : sizeof(long)];
        if (bytes.Length == sizeof(int))
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, (int)sum);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, sum);
        }

        visit.Overlay.Learn(name, bytes);
        return sum;
    }

    private void Change(string key, Action<SessionOverlay> change)
    {
        if (TakesChanges())
        {
            SessionOverlay.CheckName(key);
            RefuseLateStart();
            change(visit.Overlay);
            visit.Begin();
        }
    }

    private bool TakesChanges()
    {
        RefuseReadOnly();
        var takes = visit.Phase is VisitPhase.New or VisitPhase.Open;
        _hasDropped |= !takes;
        return takes;
    }

    private void RefuseReadOnly()
    {
        if (isReadOnly)
        {
            throw new InvalidOperationException(
                "This endpoint has SessionAccess.ReadOnly and cannot change the session. Give it SessionAccess.Shared.");
        }
    }

    private void RefuseLateStart()
    {
        if (IsNew && visit.IsTooLateForCookies)
        {
            throw new InvalidOperationException(
                "The session cannot be established after the response has started, because its cookie cannot be sent any more. "
                + "Set something before anything is written.");
        }
    }

    private void RefuseAbsent()
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
}
