using System.Collections.Immutable;

namespace SessionActors;

/// <summary>What becomes of a change to a property that somebody else has changed since the session was read.</summary>
public enum ConflictBehaviour
{
    /// <summary>The later change wins. The default.</summary>
    LastWriterWins,

    /// <summary>The whole commit is refused with <see cref="SessionConflictException"/>.</summary>
    Refuse,
}

/// <summary>
/// Somebody else has changed what this commit changes since its caller read the session. Nothing of the commit was applied.
/// </summary>
[GenerateSerializer, Alias("SessionActors.SessionConflictException")]
public sealed class SessionConflictException : SessionException
{
    private const int MostNamed = 10;

    /// <summary>Creates the exception with its message.</summary>
    /// <param name="session">The session, as logs name it.</param>
    /// <param name="properties">The properties in conflict.</param>
    /// <param name="why">What is in the way, as a sentence; null where it is somebody else's change.</param>
    public SessionConflictException(string session, IEnumerable<string> properties, string? why = null)
        : this(session, [.. properties], why)
    {
    }

    private SessionConflictException(string session, ImmutableArray<string> properties, string? why)
        : base(session, Describe(session, properties, why)) => Properties = properties;

    /// <summary>The properties in conflict.</summary>
    [Id(0)]
    public ImmutableArray<string> Properties { get; }

    private static string Describe(string session, ImmutableArray<string> properties, string? why)
    {
        var names = properties.Take(MostNamed).Select(name => $"'{(name.Length > 40 ? name[..40] + "…" : name)}'");
        var more = properties.Length > MostNamed ? $" and {properties.Length - MostNamed} more" : "";
        return $"The commit to session {session} is in conflict over {string.Join(", ", names)}{more}: "
            + $"{why ?? "somebody else changed it since this request read the session."} Nothing was stored. "
            + "Read the session again and repeat the change.";
    }
}
