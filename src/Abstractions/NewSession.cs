namespace SessionActors;

/// <summary>What a session is created with.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.NewSession")]
public sealed class NewSession
{
    /// <summary>The hash of the secret in its cookie; null for a session that no cookie opens, which only services use.</summary>
    [Id(0)]
    public SecretHash? Secret { get; init; }

    /// <summary>Its first properties, and its own idle time-out if it has one.</summary>
    [Id(1)]
    public required SessionDelta Delta { get; init; }

    /// <summary>
    /// How long it lives at most, however active; null: as the silo's <c>AbsoluteLifetime</c> says. Of two the shorter counts.
    /// </summary>
    [Id(2)]
    public TimeSpan? AbsoluteLifetime { get; init; }

    /// <summary>
    /// Whether it only leads to other sessions: the silo's <c>AbsoluteLifetime</c> does not end it, and its events are told to nobody.
    /// Default: false.
    /// </summary>
    [Id(3)]
    internal bool IsIndex { get; init; }

    /// <summary>Whether its events are told to nobody: it is a ticket, which goes with a session that has them. Default: false.</summary>
    [Id(4)]
    internal bool IsUntold { get; init; }
}

/// <summary>The answer to <see cref="ISessionGrain.CreateAsync"/>.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionCreated")]
public sealed class SessionCreated
{
    /// <summary>The version of the new session.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>The generation of its secret.</summary>
    [Id(1)]
    public required int Generation { get; init; }

    /// <summary>Its idle time-out.</summary>
    [Id(2)]
    public required TimeSpan Ttl { get; init; }

    /// <summary>How long it lives at most from now on, however active; null without an end.</summary>
    [Id(3)]
    public TimeSpan? LifetimeLeft { get; init; }
}
