using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>What carries a session's token from request to request.</summary>
internal abstract class SessionCarrier
{
    /// <summary>The token's text; null where the request has none.</summary>
    public abstract string? Read(HttpContext context);

    /// <summary>Whether the visitor lets us send it: without that a session could never be found again.</summary>
    public abstract bool IsAllowed(HttpContext context);

    /// <summary>Sends it, to be kept for as long as the session may be idle where it has an idle time-out of its own.</summary>
    public abstract void Send(HttpContext context, string text, TimeSpan? ownTtl);

    /// <summary>Has the client forget it.</summary>
    public abstract void Delete(HttpContext context);

    /// <summary>A shared cache that kept the response would hand the token, or what is one visitor's, to strangers.</summary>
    public static void ForbidCaching(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
