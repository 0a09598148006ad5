namespace SessionActors;

/// <summary>What became of the attempt to open a session with a cookie's secret.</summary>
public enum SessionStanding
{
    /// <summary>The session is there and the secret is its own.</summary>
    Open,

    /// <summary>There is no such session (any more).</summary>
    Ended,

    /// <summary>The session is there, but the secret was replaced by a rotation: an old or stolen cookie.</summary>
    Superseded,
}

/// <summary>A snapshot that somebody has, by what only it has: no two of a session have the same.</summary>
/// <param name="History">Its <see cref="SessionSnapshot.History"/>.</param>
/// <param name="Version">Its <see cref="SessionSnapshot.Version"/>.</param>
[GenerateSerializer, Immutable, Alias("SessionActors.SnapshotMark")]
public readonly record struct SnapshotMark([property: Id(0)] ulong History, [property: Id(1)] long Version);

/// <summary>The answer to <see cref="ISessionGrain.OpenAsync"/>.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionOpening")]
public sealed class SessionOpening
{
    /// <summary>The answer where the caller's snapshot is the session's.</summary>
    internal static readonly SessionOpening Same = new() { Standing = SessionStanding.Open, Changes = SessionDelta.Empty };

    /// <summary>The answer where the secret is not the session's any more.</summary>
    public static readonly SessionOpening Superseded = new() { Standing = SessionStanding.Superseded };

    /// <summary>Whether the session was opened.</summary>
    [Id(0)]
    public required SessionStanding Standing { get; init; }

    /// <summary>The session, where it was opened.</summary>
    [Id(1)]
    public SessionSnapshot? Snapshot { get; init; }

    /// <summary>Why it ended, where it did.</summary>
    [Id(2)]
    public SessionEndReason EndReason { get; init; }

    /// <summary>The lease, where one was asked for and granted.</summary>
    [Id(3)]
    public LeaseGrant? Lease { get; init; }

    /// <summary>
    /// Whether the secret is the one before the session's, which requests under way at the rotation may use for <c>RotationGrace</c>. Its
    /// holder must not be given the new one.
    /// </summary>
    [Id(4)]
    public bool IsUnderOldSecret { get; init; }

    /// <summary>
    /// What has changed since the snapshot that the caller has (<see cref="ISessionGrain.OpenSinceAsync"/>). <see cref="Snapshot"/> is then
    /// without properties, or null where nothing has changed. Null: the snapshot is whole.
    /// </summary>
    [Id(5)]
    public SessionDelta? Changes { get; init; }

    /// <summary>The whole answer, put together from this one and an earlier whole one, which had the snapshot that was named.</summary>
    internal SessionOpening Whole(SessionOpening earlier) => Changes is not { } changes ? this
        : Snapshot is not { } now ? earlier
        : new SessionOpening
        {
            Standing = Standing,
            Snapshot = new SessionSnapshot
            {
                Version = now.Version,
                Properties = earlier.Snapshot!.Properties.SetItems(changes.Sets).RemoveRange(changes.Removes),
                Ttl = now.Ttl,
                HasOwnTtl = now.HasOwnTtl,
                Generation = now.Generation,
                UserId = now.UserId,
                GoesWith = now.GoesWith,
                IsUnlisted = now.IsUnlisted,
                History = now.History,
            },
        };

    internal static SessionOpening UnderOldSecret(SessionSnapshot snapshot) =>
        new() { Standing = SessionStanding.Open, Snapshot = snapshot, IsUnderOldSecret = true };

    /// <summary>The same answer with a lease; without one where the session was not opened.</summary>
    internal SessionOpening With(LeaseGrant lease) => Standing != SessionStanding.Open
        ? this
        : new SessionOpening { Standing = Standing, Snapshot = Snapshot, Lease = lease, IsUnderOldSecret = IsUnderOldSecret };

    /// <summary>The answer where the session has ended.</summary>
    public static SessionOpening Ended(SessionEndReason reason) => new() { Standing = SessionStanding.Ended, EndReason = reason };
}
