namespace SessionActors;

/// <summary>What somebody who watches a session is told.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionChange")]
public sealed class SessionChange
{
    /// <summary>The session; null where it has ended.</summary>
    [Id(0)]
    public SessionSnapshot? Snapshot { get; init; }

    /// <summary>Why it has ended; null while it has not.</summary>
    [Id(1)]
    public SessionEndReason? EndReason { get; init; }
}
