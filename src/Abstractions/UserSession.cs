using System.Collections.Immutable;

namespace SessionActors;

/// <summary>One of a user's sessions, as a page of "your devices" shows it.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserSession")]
public sealed record UserSession
{
    /// <summary>The session.</summary>
    [Id(0)]
    public required SessionHandle Handle { get; init; }

    /// <summary>What the application called the device; null where it did not, or where the list has lost it.</summary>
    [Id(1)]
    public string? Device { get; init; }

    /// <summary>The address that it was bound from; null as above.</summary>
    [Id(2)]
    public string? Address { get; init; }

    /// <summary>When it became the user's, by the clock of the silo that has the list.</summary>
    [Id(3)]
    public required DateTimeOffset BoundAt { get; init; }

    /// <summary>When it was last used, to within its touch interval and a minute.</summary>
    [Id(4)]
    public required DateTimeOffset SeenAt { get; init; }
}

/// <summary>Some of a user's sessions.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserSessionsPage")]
public sealed class UserSessionsPage
{
    /// <summary>The sessions; there can be none in a page before the last one.</summary>
    [Id(0)]
    public required ImmutableArray<UserSession> Sessions { get; init; }

    /// <summary>What the next page begins after; null in the last one.</summary>
    [Id(1)]
    public string? Next { get; init; }
}

/// <summary>Whose a session becomes, and what the list of the user's sessions is to say of it.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserBinding")]
public sealed record UserBinding
{
    /// <summary>Most characters of a user's id: 256.</summary>
    public const int MaxUserIdLength = 256;

    /// <summary>Most characters of a device's name or an address that are kept: 200.</summary>
    public const int MaxTextLength = 200;

    [Id(0)]
    private readonly string _userId = "";

    [Id(1)]
    private readonly string? _device;

    [Id(2)]
    private readonly string? _address;

    /// <summary>The user's id, 1 to <see cref="MaxUserIdLength"/> characters: what never changes, rather than a name.</summary>
    /// <exception cref="ArgumentException">It is empty or longer.</exception>
    public required string UserId
    {
        get => _userId;
        init
        {
            ArgumentException.ThrowIfNullOrEmpty(value, nameof(UserId));
            _userId = value.Length <= MaxUserIdLength ? value : throw new ArgumentException(
                $"A user's id has at most {MaxUserIdLength} characters, not {value.Length}. Bind the session to a shorter one.",
                nameof(UserId));
        }
    }

    /// <summary>What to call the device, such as "Firefox on Linux"; cut to <see cref="MaxTextLength"/> characters.</summary>
    public string? Device
    {
        get => _device;
        init => _device = Cut(value);
    }

    /// <summary>Where the user signs in from, as the list is to show it; cut to <see cref="MaxTextLength"/> characters.</summary>
    public string? Address
    {
        get => _address;
        init => _address = Cut(value);
    }

    /// <summary>
    /// Whether the list does not show the session, nor count it: one that goes with another, as a ticket of cookie authentication does. It
    /// is ended with the user's others all the same.
    /// </summary>
    [Id(3)]
    public bool IsUnlisted { get; init; }

    /// <summary>
    /// The listed session that an unlisted one goes with: kept where that is kept, and ended where it is ended. Null for none.
    /// </summary>
    [Id(4)]
    public SessionHandle? With { get; init; }

    /// <summary>
    /// The session in whose place on the list this one comes: one browser's new session after its last one has run out. It ends that one,
    /// and has from then on what went with it. Null for none.
    /// </summary>
    [Id(5)]
    public SessionHandle? Replaces { get; init; }

    /// <summary>
    /// The ticket that the session began under, with no sign-in of its own: it has the ticket's place on the list, unless another such one
    /// took that just now. Null where it was signed in to.
    /// </summary>
    [Id(6)]
    internal SessionHandle? Follows { get; init; }

    private static string? Cut(string? text) => text is { Length: > MaxTextLength } ? text[..MaxTextLength] : text;
}
