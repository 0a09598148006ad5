namespace SessionActors;

/// <summary>
/// What several clusters that serve the same sessions need: the configuration section <c>SessionActors:CrossCluster</c>. A guard on the
/// lock masters then goes around each write and is kept for the life of an exclusive lease, and opening a session asks Redis whether
/// another cluster has changed it.
/// </summary>
public sealed class CrossClusterOptions
{
    /// <summary>
    /// StackExchange.Redis configurations of the lock masters, such as <c>127.0.0.1:6380</c>: 1, 3 or 5, each one server, independent of
    /// each other (no replicas of one another). Default none, which is refused at the start. The Redis of the sessions may be one of them.
    /// While more than half of them are out of reach nothing is written; three bear the loss of one, five the loss of two.
    /// </summary>
    public IList<string> Redlock { get; } = [];
}
