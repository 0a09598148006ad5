namespace SessionActors;

/// <content>How the session becomes a user's.</content>
internal sealed partial class SessionVisit
{
    // Whether that failed, and the request ends without it.
    private bool _isGivenUp;

    // Whether it was created and is not yet the user's whose ticket the request came with.
    private bool _isToFollow;

    // Whether it was the user's when it was opened, and not on the list: the browser has kept its cookie.
    private bool _isUnlisted;

    /// <summary>Makes the session a user's; creates a new one.</summary>
    public async Task BindAsync(string userId, string? device)
    {
        if (Phase == VisitPhase.New)
        {
            await CreateAsync(CancellationToken.None);
        }

        await BindAsync(userId, device, follows: null);
    }

    private async Task BindAsync(string userId, string? device, SessionHandle? follows)
    {
        var ticket = RequestTicket.Of(context) is { } came && door.UserIdOf(context.User) == userId ? came : null;
        var replaces = ticket?.Session != Connection.Handle ? ticket?.Session : null;
        await Connection.BindAsync(new UserBinding
        {
            UserId = userId,
            Device = device ?? context.Request.Headers.UserAgent,
            Address = context.Connection.RemoteIpAddress?.ToString(),
            Replaces = replaces,
            Follows = follows,
        });
        (UserId, _isUnlisted, _isToFollow) = (userId, false, false);
        door.Log.SessionBound(Connection.Handle);
        if (replaces is not null)
        {
            await TakeTicketAsync(ticket!, userId);
        }
    }

    /// <summary>
    /// A session that begins while its visitor is signed in by a ticket of ours is the user's from its beginning. On the list it takes the
    /// place of the one that the ticket went with: it is the same browser, and what ends one of the two is to end both. Where requests at
    /// once each begin one, one of them has the place, and the others stay off the list: nobody knows whose cookie the browser will keep.
    /// If it is another's, that one takes the place with a later change.
    /// </summary>
    private async Task FollowTicketAsync()
    {
        if (RequestTicket.Of(context) is not { } ticket || door.UserIdOf(context.User) is not { } userId
            || (_isUnlisted && UserId != userId))
        {
            _isToFollow = false;
            return;
        }

        try
        {
            if (ticket.Session is { } listed && listed != Connection.Handle)
            {
                await BindAsync(userId, device: null, follows: ticket.Handle);
                return;
            }
        }
        catch (UserSessionLimitException)
        {
            // Its place was taken just now, or is gone and there is no other. Who is signed in may have a session all the same.
        }

        if (_isToFollow)
        {
            await Connection.BindAsync(new UserBinding { UserId = userId, IsUnlisted = true });
            await StayWithTicketAsync(ticket);
            (UserId, _isToFollow) = (userId, false);
        }
    }

    // What is stored is stored: that it is not on the list yet is nothing to fail for.
    private async Task TakePlaceAsync()
    {
        try
        {
            await FollowTicketAsync();
        }
        catch (SessionUnavailableException e)
        {
            door.Log.CommitFailed(Connection.Handle, e);
        }
    }

    // What ended all of the user's sessions while this request was under way has ended the ticket, and had yet to see this one.
    private async Task StayWithTicketAsync(RequestTicket ticket)
    {
        if (!await ActorTicketStore.IsThereAsync(door, ticket.Key))
        {
            await Connection.DestroyAsync();
            throw new SessionDestroyedException(Connection.Handle.LogName, SessionEndReason.Revoked);
        }
    }

    private async Task TakeTicketAsync(RequestTicket ticket, string userId)
    {
        try
        {
            await ActorTicketStore.GoWithAsync(door, ticket.Key, userId, Connection.Handle);
        }
        catch (SessionDestroyedException)
        {
            // Somebody has ended it meanwhile, and may not have seen this one.
            await Connection.DestroyAsync();
            throw;
        }
    }

    /// <summary>
    /// Somebody signs in: the session gets a new secret and is the user's. What somebody else has left in it is not for them: then they
    /// begin with a new one.
    /// </summary>
    /// <param name="userId">The user; null where the application does not say.</param>
    public async Task SignInAsync(string? userId)
    {
        if (Phase == VisitPhase.Unavailable)
        {
            throw SessionUnavailableException.NotApplied(
                Connection.Handle.LogName, "nobody is signed in under a secret that others may know.");
        }

        if (!IsCookieAllowed)
        {
            // A new secret could not be sent, and who signs in is not to have the old one.
            await DestroyAsync();
            return;
        }

        if (Phase == VisitPhase.Open && (UserId is null || UserId == userId))
        {
            try
            {
                await RegenerateAsync(userId);
            }
            catch (SessionDestroyedException e) when (e.Reason == SessionEndReason.Rotated)
            {
                Drop(e);
            }
        }

        if (Phase == VisitPhase.Detached || (UserId is not null && UserId != userId))
        {
            await DestroyAsync();
        }

        if (userId is not null)
        {
            await BindAsync(userId, device: null);
        }
    }
}
