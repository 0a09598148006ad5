namespace SessionActors;

/// <summary>What sessions tell the list of their user's sessions.</summary>
[Alias("SessionActors.IUserSessionsIndex")]
internal interface IUserSessionsIndex : IGrainWithStringKey
{
    /// <summary>
    /// A session is about to become the user's. Returns the mark under which it does. Ends others first where there would be too many.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="user">What the list is to say of it.</param>
    /// <param name="keptFor">How long it lives if nobody uses it.</param>
    /// <exception cref="UserSessionLimitException">There would be too many, and none is to be ended for it.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    [Alias("Add")]
    Task<UserMark> AddAsync(SessionHandle session, UserBinding user, TimeSpan keptFor);

    /// <summary>A session of the user's was used.</summary>
    [Alias("Seen")]
    Task SeenAsync(SessionHandle session, TimeSpan keptFor);

    /// <summary>Sets a mark again that the store has forgotten.</summary>
    [Alias("SetAgain")]
    Task SetAgainAsync(UserMark mark);

    /// <summary>A session of the user's has ended.</summary>
    [Alias("Remove")]
    Task RemoveAsync(SessionHandle session);
}
