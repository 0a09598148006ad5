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

    /// <summary>A session of the user's was used, or what goes with it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="keptFor">How long whichever it was lives if nobody uses it.</param>
    /// <param name="with">What goes with it, where that was used; null for the session itself.</param>
    [Alias("Seen")]
    Task SeenAsync(SessionHandle session, TimeSpan keptFor, SessionHandle? with);

    /// <summary>Sets a mark again that the store has forgotten.</summary>
    [Alias("SetAgain")]
    Task SetAgainAsync(UserMark mark);

    /// <summary>
    /// A session of the user's has ended, or what goes with it. Its place on the list stays while the other of the two lives on by itself.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="with">What went with it, where that has ended; null for the session itself.</param>
    [Alias("Ended")]
    Task RemoveAsync(SessionHandle session, SessionHandle? with);
}
