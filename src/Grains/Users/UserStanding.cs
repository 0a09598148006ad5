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
    public bool IsKnown(BoundUser? user) =>
        user is null || (_userId == user.Id && _mark is not null && silo.Now - _lookedUpAt < LookUpAgain);

    /// <summary>Whether the session has ended, as far as is known.</summary>
    public bool HasEnded(BoundUser? user) => user is not null && _userId == user.Id && _mark?.Ends(user, handle) is true;

    /// <summary>Looks it up.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task LookUpAsync(BoundUser user)
    {
        try
        {
            await (_lookingUp ??= ReadAsync(user.Id));
        }
        catch (Exception e)
        {
            throw SessionUnavailableException.NotApplied(handle.LogName, "nobody can tell whether its user has ended it.", e);
        }
    }

    /// <summary>Somebody else knows it. An older one than is known comes late and says nothing.</summary>
    public void Learn(string userId, UserMark mark, TimeSpan askedAt)
    {
        if (_userId != userId || _mark is null || mark.Stamp >= _mark.Stamp)
        {
            (_userId, _mark, _lookedUpAt) = (userId, mark, askedAt);
        }
    }

    private async Task ReadAsync(string userId)
    {
        try
        {
            var askedAt = silo.Now;
            Learn(userId, await silo.Users.ReadMarkAsync(userId).WaitAsync(SessionRequest.DefaultPatience, silo.Time), askedAt);
        }
        finally
        {
            _lookingUp = null;
        }
    }
}
