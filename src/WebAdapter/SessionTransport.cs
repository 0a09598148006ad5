using Microsoft.AspNetCore.Builder;

namespace SessionActors;

/// <summary>What carries the session's token.</summary>
public enum SessionTransport
{
    /// <summary>The cookie. The default.</summary>
    Cookie,

    /// <summary>
    /// The header <see cref="ActorSessionOptions.HeaderName"/>, of requests and responses, for clients of an API or an app: a response with
    /// the header has a new token, which replaces the client's; one with an empty one ends it. A cookie is neither read nor sent.
    /// </summary>
    Header,
}

/// <summary>
/// Says what carries the session's token to an endpoint. The nearest one counts: on a method before on its class, on an endpoint before on
/// its group.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class SessionTransportAttribute(SessionTransport transport) : Attribute
{
    /// <summary>What carries the token.</summary>
    public SessionTransport Transport { get; } = transport;
}

/// <summary>Says what carries the session's token to minimal APIs and groups of them.</summary>
public static class SessionTransportEndpointConventionBuilderExtensions
{
    /// <summary>Gives the endpoints a <see cref="SessionTransportAttribute"/>.</summary>
    public static TBuilder WithSessionTransport<TBuilder>(this TBuilder builder, SessionTransport transport)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SessionTransportAttribute(transport));
}
