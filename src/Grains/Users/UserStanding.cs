namespace SessionActors;

/// <summary>
/// Whether a session has ended with others of its user's. Looks the user's mark up again where that was too long ago. Runs in the turns of
/// the session's grain.
/// </summary>
internal sealed class UserStanding(SessionHandle handle, SessionSilo silo)
{
    // How long a session that nobody could tell may be used still, as with ServingLease's default.
    private static readonly TimeSpan LookUpAgain = TimeSpan.FromSeconds(3);

    private UserMark? _mark;
    private string? _userId;
    private TimeSpan _lookedUpAt;
    private Task? _lookingUp;

    /// <summary>Whether it is known well enough.</summary>
    public bool IsKnown(BoundUser user) => _userId == user.Id && _mark is not null && silo.Now < KnownUntil;

    /// <summary>When it has to be looked up again.</summary>
    public TimeSpan KnownUntil => _lookedUpAt + LookUpAgain;

    /// <summary>Whether the session has ended, as far as is known.</summary>
    public bool HasEnded(BoundUser user) => _userId == user.Id && _mark?.Ends(user, handle) is true;

    /// <summary>Looks it up.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task LookUpAsync(BoundUser user)
    {
        var looking = _lookingUp ??= ReadAsync(user.Id);
        try
        {
            await looking;
        }
        catch (Exception e)
        {
            throw SessionUnavailableException.NotApplied(handle.LogName, "nobody can tell whether its user has ended it.", e);
        }
        finally
        {
            // Here, since it may have been over before it was remembered.
            if (_lookingUp == looking)
            {
                _lookingUp = null;
            }
        }
    }

    /// <summary>Somebody has asked for it. An older one than is known comes late, or from a store that has lost the other.</summary>
    public void Learn(string userId, UserMark mark, TimeSpan askedAt)
    {
        var known = _userId == userId ? _mark : null;
        (_userId, _mark) = (userId, known?.Stamp > mark.Stamp ? known : mark);
        _lookedUpAt = known is null || askedAt > _lookedUpAt ? askedAt : _lookedUpAt;
    }

    private async Task ReadAsync(string userId)
    {
        var askedAt = silo.Now;
        var stored = await silo.Users.ReadMarkAsync(userId).WaitAsync(SessionRequest.DefaultPatience, silo.Time);
        if (_userId == userId && _mark?.Stamp > stored.Stamp)
        {
            // The store has forgotten it, and other sessions of the user's rest on it.
            silo.Users.Of(userId).SetAgainAsync(_mark).Ignore();
        }

        Learn(userId, stored, askedAt);
    }
}
