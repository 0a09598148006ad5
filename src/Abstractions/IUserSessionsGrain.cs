namespace SessionActors;

/// <summary>
/// The sessions of one user, named by the user's id: where they are, and their end. A session is a user's since it was bound
/// (<see cref="ISessionGrain.BindAsync"/>), which the web side does when somebody signs in.
/// <para>
/// Ending all, or all others, is one write: a mark that every session of the user is compared with when it is loaded, and while it is
/// in use. It reaches those that are in a silo's memory at once, and those that the list has lost too.
/// </para>
/// <para>
/// Every call can throw <see cref="SessionUnavailableException"/> where the store is out of reach. Each may be repeated without harm.
/// </para>
/// </summary>
[Alias("SessionActors.IUserSessionsGrain")]
public interface IUserSessionsGrain : IGrainWithStringKey
{
    /// <summary>
    /// The user's sessions, a page at a time, in no order that means anything. A session that has ended a moment ago may still be among
    /// them.
    /// </summary>
    /// <param name="after">Where the page before ended (<see cref="UserSessionsPage.Next"/>); null for the first one.</param>
    /// <exception cref="FormatException"><paramref name="after"/> is not from a page.</exception>
    [Alias("List")]
    Task<UserSessionsPage> ListAsync(string? after = null);

    /// <summary>Ends one of them. False where the user has no such session, so that nobody ends somebody else's.</summary>
    [Alias("End")]
    Task<bool> EndAsync(SessionHandle session);

    /// <summary>Ends all of them but one: "log out everywhere else".</summary>
    [Alias("EndOthers")]
    Task EndOthersAsync(SessionHandle kept);

    /// <summary>Ends all of them: after a change of the password, or when the account is closed.</summary>
    [Alias("EndAll")]
    Task EndAllAsync();
}
