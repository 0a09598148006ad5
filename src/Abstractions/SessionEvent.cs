using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>What happened to a session.</summary>
public enum SessionEventKind
{
    /// <summary>It was created.</summary>
    Started,

    /// <summary>It got a new secret.</summary>
    Rotated,

    /// <summary>It has ended.</summary>
    Ended,
}

/// <summary>Something that happened to a session: see <see cref="ISessionEvents"/>.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionEvent")]
public sealed class SessionEvent
{
    [Id(5)]
    private readonly PropertyValues _properties;

    /// <summary>What happened.</summary>
    [Id(0)]
    public required SessionEventKind Kind { get; init; }

    /// <summary>The session.</summary>
    [Id(1)]
    public required SessionHandle Handle { get; init; }

    /// <summary>Which of the session's events it is: 1 is its start, each rotation is one more, and its end another.</summary>
    [Id(2)]
    public required int Number { get; init; }

    /// <summary>Why it ended; null for the other events.</summary>
    [Id(3)]
    public SessionEndReason? EndReason { get; init; }

    /// <summary>The user whose session it is, or was; null where it was nobody's.</summary>
    [Id(4)]
    public string? UserId { get; init; }

    /// <summary>Its properties by name: as they are when the event is told, and of one that has ended the last ones.</summary>
    public required ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties
    {
        get => _properties.All;
        init => _properties = new PropertyValues(value);
    }

    /// <summary>Tells one event from all others, and is the same when it is told again.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{Handle}/{Number}");

    /// <summary>A property's value as <c>ISession.SetString</c> wrote it; null where there is none.</summary>
    public string? GetString(string name) =>
        Properties.TryGetValue(name, out var value) ? Encoding.UTF8.GetString(value.Span) : null;
}
