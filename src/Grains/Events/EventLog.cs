using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>Every log line about the telling of events.</summary>
internal static partial class EventLog
{
    [LoggerMessage(
        1027, LogLevel.Warning, "An event of session {Session} could not be told, or a handler did not take it; it is told again.")]
    public static partial void NotTold(ILogger logger, string session, Exception error);

    [LoggerMessage(1028, LogLevel.Warning,
        "The sessions whose events are to be told could not be read ({Outcome}); they are read again in 5 s.")]
    public static partial void NotSwept(ILogger logger, StoreOutcome outcome, Exception? error);
}
