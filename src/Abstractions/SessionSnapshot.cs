using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace SessionActors;

/// <summary>
/// All properties of a session at one version. Immutable and shared by reference with the grain, so that a local read copies nothing.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionSnapshot")]
public sealed class SessionSnapshot
{
    [Id(1)]
    private readonly PropertyValues _properties;

    /// <summary>The session's version: it grows by one with every delta.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>The properties by name.</summary>
    public required ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties
    {
        get => _properties.All;
        init => _properties = new PropertyValues(value);
    }

    /// <summary>The idle time-out of the session.</summary>
    [Id(2)]
    public required TimeSpan Ttl { get; init; }

    /// <summary>
    /// Whether <see cref="Ttl"/> was set for this session rather than taken from the options; its cookie is then a persistent one.
    /// </summary>
    [Id(3)]
    public required bool HasOwnTtl { get; init; }

    /// <summary>The generation of the cookie's secret: it grows by one with every rotation.</summary>
    [Id(4)]
    public required int Generation { get; init; }

    /// <summary>The user whose session it is (<see cref="ISessionGrain.BindAsync"/>); null while nobody has signed in.</summary>
    [Id(5)]
    public string? UserId { get; init; }

    /// <summary>The listed session that this one goes with (<see cref="UserBinding.With"/>); null where it goes with none.</summary>
    [Id(6)]
    public SessionHandle? GoesWith { get; init; }

    /// <summary>Whether it is a user's and not on the list of their sessions.</summary>
    [Id(8)]
    internal bool IsUnlisted { get; init; }

    /// <summary>What <see cref="Version"/> is counted in: drawn when a silo loads the session, which may be older then.</summary>
    [Id(7)]
    public ulong History { get; init; }

    /// <summary>A property's value as <c>ISession.SetString</c> wrote it; null where there is none.</summary>
    public string? GetString(string name) =>
        Properties.TryGetValue(name, out var value) ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>A number as <c>IncrementAsync</c> and <c>ISession.SetInt32</c> wrote it; null where there is none.</summary>
    /// <exception cref="FormatException">The property is no number.</exception>
    public long? GetNumber(string name) => !Properties.TryGetValue(name, out var value) ? null : value.Length switch
    {
        sizeof(int) => BinaryPrimitives.ReadInt32BigEndian(value.Span),
        sizeof(long) => BinaryPrimitives.ReadInt64BigEndian(value.Span),
        _ => throw new FormatException(
            $"Property '{name}' has {value.Length} bytes; a number has 4 (SetInt32) or 8. GetString or TryGetValue reads it."),
    };

    /// <summary>A property's value; false where there is none.</summary>
    public bool TryGetValue(string name, [NotNullWhen(true)] out ReadOnlyMemory<byte>? value)
    {
        var isThere = Properties.TryGetValue(name, out var found);
        // Not "found : null": null would become an array, and that an empty value.
        value = isThere ? found : default(ReadOnlyMemory<byte>?);
        return isThere;
    }
}
