using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>The cookie in requests and responses. Nothing else knows its name.</summary>
internal sealed class SessionCookie(ActorSessionOptions options, TimeProvider time) : SessionCarrier
{
    private readonly string _name = options.Cookie.Name!;

    public override string? Read(HttpContext context) => context.Request.Cookies[_name];

    public override bool IsAllowed(HttpContext context) =>
        options.Cookie.IsEssential || context.Features.Get<ITrackingConsentFeature>() is null or { CanTrack: true };

    /// <summary>Sends it, for the life of the browser or, where the session has an idle time-out of its own, for that long.</summary>
    public override void Send(HttpContext context, string text, TimeSpan? ownTtl)
    {
        var cookie = options.Cookie.Build(context);
        if (ownTtl is { } ttl)
        {
            var now = time.GetUtcNow();
            cookie.MaxAge = ttl;
            cookie.Expires = ttl < DateTimeOffset.MaxValue - now ? now + ttl : DateTimeOffset.MaxValue;
        }

        context.Response.Cookies.Append(_name, text, cookie);
        ForbidCaching(context);
    }

    public override void Delete(HttpContext context)
    {
        context.Response.Cookies.Delete(_name, options.Cookie.Build(context));
        ForbidCaching(context);
    }
}
