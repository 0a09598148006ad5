using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>Every log line of the start-up checks, ids 1900 to 1999.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(1900, LogLevel.Warning, "{Store} does not tell its {What}, so nobody checked that {Rule}. Make sure of it.")]
    public static partial void Unreadable(ILogger logger, string store, string what, string rule, Exception? error);

    [LoggerMessage(1901, LogLevel.Warning,
        "{Store} has maxmemory-policy {Policy}, which drops live sessions when memory is full; SessionActors:AllowEviction accepts that.")]
    public static partial void Evicts(ILogger logger, string store, string policy);

    [LoggerMessage(1902, LogLevel.Warning,
        "The store does not tell which one it is (INFO), so what it loses at a restart or a failover is not written back to it.")]
    public static partial void Nameless(ILogger logger);
}
