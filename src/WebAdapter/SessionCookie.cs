using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>The cookie in requests and responses. Nothing else knows its name.</summary>
internal sealed class SessionCookie(ActorSessionOptions options, TimeProvider time)
{
    private readonly string _name = options.Cookie.Name!;

    /// <summary>The cookie's text; null where the request has none.</summary>
    public string? Read(HttpContext context) => context.Request.Cookies[_name];

    /// <summary>Whether the visitor lets us send it: without that a session could never be found again.</summary>
    public bool IsAllowed(HttpContext context) =>
        options.Cookie.IsEssential || context.Features.Get<ITrackingConsentFeature>() is null or { CanTrack: true };

    /// <summary>Sends it, for the life of the browser or, where the session has an idle time-out of its own, for that long.</summary>
    public void Send(HttpContext context, string text, TimeSpan? ownTtl)
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

    /// <summary>Removes it from the browser.</summary>
    public void Delete(HttpContext context)
    {
        context.Response.Cookies.Delete(_name, options.Cookie.Build(context));
        ForbidCaching(context);
    }

    // A shared cache that kept the response would hand the cookie to strangers.
    private static void ForbidCaching(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
