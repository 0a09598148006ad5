using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// The token as a header of requests and responses, for clients that keep it themselves. No browser sends it by itself, so that a page of
/// another site cannot have it sent.
/// </summary>
internal sealed class SessionHeader(ActorSessionOptions options) : SessionCarrier
{
    public override string? Read(HttpContext context) => context.Request.Headers[options.HeaderName] is [var token] ? token : null;

    public override bool IsAllowed(HttpContext context) => true;

    public override void Send(HttpContext context, string text, TimeSpan? ownTtl)
    {
        context.Response.Headers[options.HeaderName] = text;
        ForbidCaching(context);
    }

    public override void Delete(HttpContext context)
    {
        context.Response.Headers[options.HeaderName] = "";
        ForbidCaching(context);
    }
}
