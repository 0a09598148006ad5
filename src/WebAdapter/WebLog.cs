using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>A session as logs name it: the text is made only where somebody reads it, and holds neither handle nor secret.</summary>
internal readonly struct LoggedSession(SessionHandle handle)
{
    public static implicit operator LoggedSession(SessionHandle handle) => new(handle);

    public override string ToString() => handle.LogName;
}

/// <summary>Every log line of the web side, ids 2000 to 2999. None takes a cookie or a secret.</summary>
internal static partial class WebLog
{
    public const int CookieRefusedId = 2000;
    public const int SessionExpiredId = 2001;
    public const int SessionStartedId = 2002;
    public const int SessionLoadedId = 2003;
    public const int SessionStoredId = 2004;
    public const int ChangesDroppedId = 2005;
    public const int SessionSupersededId = 2006;
    public const int OpeningFailedId = 2007;
    public const int CommitFailedId = 2008;
    public const int LateCommitFailedId = 2009;
    public const int SessionDestroyedId = 2010;
    public const int SessionRegeneratedId = 2011;
    public const int TurnDidNotComeId = 2012;
    public const int SessionBoundId = 2013;
    public const int SessionImportedId = 2014;
    public const int OldSessionDamagedId = 2015;

    [LoggerMessage(CookieRefusedId, LogLevel.Warning, "A session cookie cannot be accepted ({Reading}); the request gets a new session.")]
    public static partial void CookieRefused(this ILogger logger, TokenReading reading);

    [LoggerMessage(SessionExpiredId, LogLevel.Information, "Session {Session} has ended ({Reason}); the request gets a new one.")]
    public static partial void SessionExpired(this ILogger logger, LoggedSession session, SessionEndReason reason);

    [LoggerMessage(SessionStartedId, LogLevel.Information, "Session {Session} started.")]
    public static partial void SessionStarted(this ILogger logger, LoggedSession session);

    [LoggerMessage(SessionLoadedId, LogLevel.Debug, "Session {Session} loaded: version {Version}, {Count} properties.")]
    public static partial void SessionLoaded(this ILogger logger, LoggedSession session, long version, int count);

    [LoggerMessage(SessionStoredId, LogLevel.Debug, "Session {Session} stored: version {Version}.")]
    public static partial void SessionStored(this ILogger logger, LoggedSession session, long version);

    [LoggerMessage(ChangesDroppedId, LogLevel.Warning,
        "Session {Session} ended while a request used it ({Reason}); its changes are dropped.")]
    public static partial void ChangesDropped(this ILogger logger, LoggedSession session, SessionEndReason reason);

    [LoggerMessage(SessionSupersededId, LogLevel.Warning,
        "A request came with an old secret of session {Session}: it gets an empty session, and its changes are dropped.")]
    public static partial void SessionSuperseded(this ILogger logger, LoggedSession session);

    [LoggerMessage(OpeningFailedId, LogLevel.Error, "A session could not be opened.")]
    public static partial void OpeningFailed(this ILogger logger, Exception exception);

    [LoggerMessage(CommitFailedId, LogLevel.Error, "The changes of a request to session {Session} could not be stored.")]
    public static partial void CommitFailed(this ILogger logger, LoggedSession session, Exception exception);

    [LoggerMessage(LateCommitFailedId, LogLevel.Error,
        "Changes to session {Session} made after the response had started could not be stored; the connection is aborted.")]
    public static partial void LateCommitFailed(this ILogger logger, LoggedSession session);

    [LoggerMessage(SessionDestroyedId, LogLevel.Information, "Session {Session} was destroyed.")]
    public static partial void SessionDestroyed(this ILogger logger, LoggedSession session);

    [LoggerMessage(SessionRegeneratedId, LogLevel.Information, "Session {Session} got a new secret.")]
    public static partial void SessionRegenerated(this ILogger logger, LoggedSession session);

    [LoggerMessage(TurnDidNotComeId, LogLevel.Warning,
        "A request did not get a session to itself, because others had it for too long or too many wait for it.")]
    public static partial void TurnDidNotCome(this ILogger logger, Exception exception);

    [LoggerMessage(SessionBoundId, LogLevel.Information, "Session {Session} is a user's now.")]
    public static partial void SessionBound(this ILogger logger, LoggedSession session);

    [LoggerMessage(SessionImportedId, LogLevel.Information,
        "Session {Session} was brought over from ASP.NET Core's own session, with {Count} properties.")]
    public static partial void SessionImported(this ILogger logger, LoggedSession session, int count);

    [LoggerMessage(OldSessionDamagedId, LogLevel.Warning,
        "What was to become session {Session} is damaged in its cache and cannot be read; the request gets a new session.")]
    public static partial void OldSessionDamaged(this ILogger logger, LoggedSession session, Exception exception);
}
