using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>
/// Every log line of the silo side's actors, ids 1000 to 1999. Sessions appear by <see cref="SessionHandle.LogName"/> only.
/// </summary>
internal static partial class GrainLog
{
    [LoggerMessage(1000, LogLevel.Information, "Session {Session} ended: {Reason}.")]
    public static partial void Ended(ILogger logger, string session, SessionEndReason reason);

    [LoggerMessage(1001, LogLevel.Warning, "Session {Session} is owned by {Owner} now; this activation stops and its callers go there.")]
    public static partial void TakenOver(ILogger logger, string session, string? owner);

    [LoggerMessage(1002, LogLevel.Information, "Session {Session} was claimed by {Owner}; claiming it back to re-apply {Count} changes.")]
    public static partial void Reloading(ILogger logger, string session, string? owner, int count);

    [LoggerMessage(
        1003, LogLevel.Warning, "The store did not say whether {Count} changes of session {Session} were written; reading it anew.")]
    public static partial void Unknown(ILogger logger, string session, int count, Exception? error);

    [LoggerMessage(1004, LogLevel.Warning, "The store did not take {Count} changes of session {Session}.")]
    public static partial void NotWritten(ILogger logger, string session, int count, Exception? error);

    [LoggerMessage(1005, LogLevel.Error, "Writing session {Session} failed in an unforeseen way; reading it anew.")]
    public static partial void Failed(ILogger logger, string session, Exception error);

    [LoggerMessage(
        1006, LogLevel.Warning, "Session {Session} is at version {Expected} here but not in the store ({Outcome}); reading it anew.")]
    public static partial void VersionsDiffer(ILogger logger, string session, long expected, StoreOutcome outcome);

    [LoggerMessage(
        1007, LogLevel.Warning, "Session {Session} could not be handed over cleanly ({Outcome}); its next owner reads it from the store.")]
    public static partial void NotReleased(ILogger logger, string session, StoreOutcome outcome);

    [LoggerMessage(1008, LogLevel.Information, "Made a cookie key, id {KeyId}, which signs from {From}.")]
    public static partial void CookieKeyMade(ILogger logger, uint keyId, DateTimeOffset from);

    [LoggerMessage(
        1009, LogLevel.Warning, "The lease on session {Session} ended before its holder gave it back; what it commits is refused.")]
    public static partial void LeaseLost(ILogger logger, string session);

    [LoggerMessage(1010, LogLevel.Warning, "The guard of session {Session} was lost while it was held; the fence decides now.")]
    public static partial void GuardLost(ILogger logger, string session);

    [LoggerMessage(
        1011, LogLevel.Warning, "Session {Session} is not written: most lock masters (CrossCluster:Redlock) are out of reach.")]
    public static partial void NoMajority(ILogger logger, string session, Exception? error);

    [LoggerMessage(1012, LogLevel.Warning, "The lock master {Master} is out of reach; it is tried again all the time.")]
    public static partial void MasterLost(ILogger logger, string master, Exception? error);

    [LoggerMessage(1013, LogLevel.Information, "The lock master {Master} is back.")]
    public static partial void MasterBack(ILogger logger, string master);

    [LoggerMessage(1014, LogLevel.Warning,
        "This silo cannot prove that it may answer from memory ({Why}); every read asks the store, until it can again.")]
    public static partial void ServingLeaseLost(ILogger logger, string why, Exception? error);

    [LoggerMessage(1015, LogLevel.Information, "This silo answers reads from memory again.")]
    public static partial void ServingLeaseRegained(ILogger logger);

    [LoggerMessage(1016, LogLevel.Warning,
        "The store was restarted, or another one has taken over: {Healed} sessions of this silo are in it as they were, {Others} others "
        + "are as it has them, {Replayed} were ended again.")]
    public static partial void StoreChanged(ILogger logger, int healed, int others, int replayed);

    [LoggerMessage(
        1020, LogLevel.Warning, "{Count} acknowledged changes of session {Session} are not stored yet; they are sent until they are.")]
    public static partial void StoredLate(ILogger logger, string session, int count);

    [LoggerMessage(1021, LogLevel.Information, "Session {Session} ended with {Count} acknowledged changes that were not stored yet.")]
    public static partial void EndedUnstored(ILogger logger, string session, int count);

    [LoggerMessage(1022, LogLevel.Error, "{Count} acknowledged changes of session {Session} are lost.")]
    public static partial void Lost(ILogger logger, string session, int count, Exception? error);

    [LoggerMessage(1023, LogLevel.Warning, "{Owner} did not hand session {Session} over in time; it is claimed all the same.")]
    public static partial void NotHandedOver(ILogger logger, string session, string owner, Exception error);

    [LoggerMessage(1024, LogLevel.Warning, "{Count} acknowledged changes are not stored yet while this silo stops; it goes on trying.")]
    public static partial void StoppingUnstored(ILogger logger, long count, Exception error);

    [LoggerMessage(1025, LogLevel.Error, "{Count} acknowledged changes are lost: the store was out of reach until the silo had stopped.")]
    public static partial void LostAtStop(ILogger logger, long count);

    [LoggerMessage(1029, LogLevel.Warning, "The next cookie key could not be stored; the one before signs on, and it is tried again.")]
    public static partial void CookieKeysNotTurned(ILogger logger, Exception error);

    [LoggerMessage(1026, LogLevel.Warning,
        "Silo {Silo} did not hear in time that a user's sessions were ended together; its sessions find out within seconds.")]
    public static partial void NotTold(ILogger logger, SiloAddress silo, Exception error);
}
