using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>The way from a request to its session.</summary>
public static class ActorSessionHttpContextExtensions
{
    /// <summary>The session of this request, with what an actor can do besides <see cref="ISession"/>.</summary>
    /// <exception cref="InvalidOperationException"><c>UseActorSession</c> did not run for this request.</exception>
    public static IActorSession GetActorSession(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Session as IActorSession ?? throw new InvalidOperationException(
            $"The session of this request is a {context.Session.GetType()}. Call app.UseActorSession() instead of app.UseSession().");
    }
}
