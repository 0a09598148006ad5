namespace SessionActors;

/// <summary>The sessions in this process's memory, for the web server that runs beside the silo.</summary>
internal interface ILocalSessions
{
    /// <summary>
    /// Opens a session as its grain would, without a call to it, where the grain would do nothing else. Null where the grain has to be
    /// asked: it may have the session or not.
    /// </summary>
    /// <param name="handle">The session.</param>
    /// <param name="secret">The hash of the secret in its cookie.</param>
    /// <param name="slide">Whether this renews the idle time-out.</param>
    SessionOpening? TryOpen(SessionHandle handle, in SecretHash secret, bool slide);

    /// <summary>
    /// Calls a session in a turn of its grain, without a message to it. Null where it has to be sent one: the session is elsewhere, or
    /// something else has to be done first.
    /// </summary>
    /// <param name="handle">The session.</param>
    /// <param name="call">The call; made once at most, given the grain itself.</param>
    Task<T>? TryCall<T>(SessionHandle handle, Func<ISessionGrain, Task<T>> call);

    /// <summary>Whether the session is in this process's memory.</summary>
    bool Has(SessionHandle handle);
}
