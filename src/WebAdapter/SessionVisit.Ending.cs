namespace SessionActors;

/// <content>How a session ends, or its secret does, and how the request leaves it to the next one.</content>
internal sealed partial class SessionVisit
{
    /// <summary>Whether the session was not asked for, since this server lately found it ended.</summary>
    public bool WasNotAskedFor { get; set; }

    /// <summary>Ends the session and goes on with a new one.</summary>
    public async Task DestroyAsync()
    {
        if (WasNotAskedFor && Phase == VisitPhase.New && Token is { } cookie)
        {
            // It may have been missing for a moment, in a store that had lost it, and a log-out must win.
            WasNotAskedFor = false;
            await door.OpenAsync(this, cookie, slide: false, CancellationToken.None, asks: true);
        }

        // The holder of an old secret must neither end the session of whoever holds the new one, nor remove the newer cookie.
        var isDetached = Phase == VisitPhase.Detached;
        if (Phase == VisitPhase.Open || _connection is { IsAwaitingAnswer: true })
        {
            await Connection.DestroyAsync();
            door.OnDestroyed(Connection.Handle);
        }

        GiveTurnBack();
        _cookie = !isDetached && Token is not null ? CookieChange.Delete : CookieChange.None;
        Phase = VisitPhase.New;
        IsUnderOldSecret = false;
        (UserId, _isUnlisted, _isToFollow) = (null, false, false);
        _overlay = null;
        _connection = null;
        _isBegun = false;
    }

    /// <summary>Gives an open session a new secret.</summary>
    public Task RegenerateAsync() => RegenerateAsync(userId: null);

    private async Task RegenerateAsync(string? userId)
    {
        await Connection.RegenerateAsync(userId);
        SendCookie();
        door.Log.SessionRegenerated(Connection.Handle);
    }

    /// <summary>The request is over, and the next one may have the session, where this one had it to itself.</summary>
    public void End()
    {
        _isOver = true;
        GiveTurnBack();
    }

    private void GiveTurnBack() => _connection?.LeaveLease()?.ReleaseAsync().Ignore();
}
