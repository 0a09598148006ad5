using System.Collections.Immutable;

namespace SessionActors;

/// <summary>One of a user's sessions, as it is stored. Times are ms since 1970.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserSessionEntry")]
internal sealed record UserSessionEntry
{
    [Id(0)]
    public required string Session { get; init; }

    [Id(1)]
    public string? Device { get; init; }

    [Id(2)]
    public string? Address { get; init; }

    [Id(3)]
    public required long BoundAt { get; init; }

    [Id(4)]
    public required long SeenAt { get; init; }

    /// <summary>When it has ended, unless it is seen again.</summary>
    [Id(5)]
    public required long ExpiresAt { get; init; }

    /// <summary>The mark that it was bound under.</summary>
    [Id(6)]
    public required long Stamp { get; init; }

    /// <summary>What goes with it; null where nothing does.</summary>
    [Id(7)]
    public string? With { get; init; }

    /// <summary>When that has ended, unless it is seen again.</summary>
    [Id(8)]
    public long WithExpiresAt { get; init; }

    /// <summary>When it took the place of another one as its ticket's next session; 0 where it did not.</summary>
    [Id(9)]
    public long FollowedAt { get; init; }

    /// <summary>Sessions of the same browser that began when another one had just taken the place, and are not listed.</summary>
    [Id(10)]
    public ImmutableArray<string> Beside { get; init; } = [];

    public UserSession ToPublic() => new()
    {
        Handle = SessionHandle.Parse(Session),
        Device = Device,
        Address = Address,
        BoundAt = DateTimeOffset.FromUnixTimeMilliseconds(BoundAt),
        SeenAt = DateTimeOffset.FromUnixTimeMilliseconds(SeenAt),
    };
}

/// <summary>Some of a user's sessions, as one value in the store; or the sign that they are in pages of their own.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserSessionsPageState")]
internal sealed class UserSessionsPageState
{
    /// <summary>Whether there is a page for each next digit of the handles, and nothing here.</summary>
    [Id(0)]
    public bool IsSplit { get; init; }

    [Id(1)]
    public ImmutableArray<UserSessionEntry> Entries { get; init; } = [];
}
