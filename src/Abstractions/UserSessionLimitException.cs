namespace SessionActors;

/// <summary>
/// A session was not bound to a user who has as many as <c>MaxSessionsPerUser</c> allows. Nothing was changed: whoever asked is not signed
/// in.
/// </summary>
[GenerateSerializer, Alias("SessionActors.UserSessionLimitException")]
public sealed class UserSessionLimitException : SessionException
{
    /// <summary>Creates the exception with its message.</summary>
    public UserSessionLimitException(string session, int allowed)
        : base(session, $"Session {session} was not bound: its user has MaxSessionsPerUser = {allowed} sessions. End one of them first, "
            + "raise MaxSessionsPerUser, or set OnSessionLimit to EndOldest.") => Allowed = allowed;

    private UserSessionLimitException(string session)
        : base(
            session, $"Session {session} was not bound: another session under its ticket has just taken the place on its user's list.")
    {
    }

    /// <summary>It began under a ticket (<see cref="UserBinding.Follows"/>), whose place another one has just taken.</summary>
    internal static UserSessionLimitException NoPlace(string session) => new(session);

    /// <summary>How many there may be.</summary>
    [Id(0)]
    public int Allowed { get; }
}
