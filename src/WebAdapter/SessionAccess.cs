using Microsoft.AspNetCore.Builder;

namespace SessionActors;

/// <summary>How the requests of an endpoint use the session.</summary>
public enum SessionAccess
{
    /// <summary>Read and write beside other requests of the same session; their changes are merged. The default.</summary>
    Shared,

    /// <summary>Read only: the session is opened, and a change throws <see cref="InvalidOperationException"/> where it is made.</summary>
    ReadOnly,

    /// <summary>
    /// No session at all: no cookie is read, no call made, and <c>HttpContext.Session</c> throws as it does without the middleware.
    /// </summary>
    None,

    /// <summary>
    /// One at a time: the request waits its turn before it runs, and has the session to itself until it has committed. Other exclusive
    /// requests wait for it, and so do the commits of shared ones; reads do not. Where the session cannot be had, the answer is 503,
    /// whatever <see cref="ActorSessionOptions.OnUnavailable"/> says. Not for requests that last, such as WebSockets and event streams:
    /// they would keep others waiting for <c>MaxLease</c> and then lose their turn.
    /// </summary>
    Exclusive,
}

/// <summary>
/// Says how an endpoint uses the session. The nearest one counts: on a method before on its class, on an endpoint before on its group.
/// Endpoint routing must run before <c>UseActorSession</c>, as it does in a <c>WebApplication</c> that does not call <c>UseRouting</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class SessionAccessAttribute(SessionAccess access) : Attribute
{
    /// <summary>How the endpoint uses the session.</summary>
    public SessionAccess Access { get; } = access;

    /// <summary>
    /// Whether a request of the endpoint renews the session's idle time-out. Default true. False is for polling and heartbeats, which
    /// would keep the session of an absent user alive for ever. A change is activity all the same.
    /// </summary>
    public bool Slide { get; init; } = true;

    /// <summary>
    /// What becomes of a commit that changes a property which another request has changed since this one read the session. Not set: what
    /// <see cref="ActorSessionOptions.OnConflict"/> says.
    /// </summary>
    public ConflictBehaviour OnConflict
    {
        get => SaidOnConflict ?? ConflictBehaviour.LastWriterWins;
        init => SaidOnConflict = value;
    }

    // An attribute's property cannot be null by C#'s rules.
    internal ConflictBehaviour? SaidOnConflict { get; init; }
}

/// <summary>Says how minimal APIs and groups of them use the session.</summary>
public static class SessionAccessEndpointConventionBuilderExtensions
{
    /// <summary>Gives the endpoints a <see cref="SessionAccessAttribute"/>.</summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="access">How they use the session.</param>
    /// <param name="slide">Whether their requests renew the idle time-out; see <see cref="SessionAccessAttribute.Slide"/>.</param>
    /// <param name="onConflict">
    /// What becomes of conflicts; see <see cref="SessionAccessAttribute.OnConflict"/>. Default null: what the options say.
    /// </param>
    public static TBuilder WithSessionAccess<TBuilder>(
        this TBuilder builder, SessionAccess access, bool slide = true, ConflictBehaviour? onConflict = null)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new SessionAccessAttribute(access) { Slide = slide, SaidOnConflict = onConflict });
}
