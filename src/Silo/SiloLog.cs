namespace SessionActors;

/// <summary>Every log line of the silo's host, ids 3000 to 3999.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(3000, LogLevel.Information,
        "Sessions are in {Store}. Cluster {ClusterId} (service {ServiceId}), silo {Address}:{SiloPort}, gateway {Address}:{GatewayPort}.")]
    public static partial void Started(
        ILogger logger, string store, string clusterId, string serviceId, string address, int siloPort, int gatewayPort);

    [LoggerMessage(3001, LogLevel.Information, "Waiting up to {Patience} for another process to let go of the {Store}.")]
    public static partial void Waiting(ILogger logger, string store, TimeSpan patience);

    [LoggerMessage(3002, LogLevel.Warning,
        "Redis had lost the list of the cluster's silos, or had an older one (version {Found}); its {Count} entries were written back as "
        + "they were at version {Version}.")]
    public static partial void MembersWrittenBack(ILogger logger, int count, long version, long found);
}
