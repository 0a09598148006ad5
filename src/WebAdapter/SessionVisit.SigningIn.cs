namespace SessionActors;

/// <content>How the session becomes a user's.</content>
internal sealed partial class SessionVisit
{
    /// <summary>Makes the session a user's; creates a new one.</summary>
    public async Task BindAsync(string userId, string? device)
    {
        if (Phase == VisitPhase.New)
        {
            await CreateAsync(CancellationToken.None);
        }

        await Connection.BindAsync(new UserBinding
        {
            UserId = userId,
            Device = device ?? context.Request.Headers.UserAgent,
            Address = context.Connection.RemoteIpAddress?.ToString(),
        });
        UserId = userId;
        door.Log.SessionBound(Connection.Handle);
    }

    /// <summary>
    /// A session that begins while its visitor is signed in by a ticket of ours is the user's from its beginning, and ends with all others
    /// of theirs. On the list is the one that they signed in with, which keeps its place while the ticket lives.
    /// </summary>
    private async Task FollowTicketAsync()
    {
        if (ActorTicketStore.KeyOf(context) is not null && door.UserIdOf(context.User) is { } userId)
        {
            await Connection.BindAsync(new UserBinding { UserId = userId, IsUnlisted = true });
            UserId = userId;
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
