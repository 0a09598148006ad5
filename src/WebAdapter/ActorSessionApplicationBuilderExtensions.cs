using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>Puts sessions into an application's pipeline.</summary>
public static class ActorSessionApplicationBuilderExtensions
{
    internal const string NoGrains =
        "finds no IGrainFactory: there is neither an Orleans silo nor a client. Call builder.AddSessionSilo() to host a silo in this "
        + "application, or builder.UseOrleansClient(…) to use one elsewhere.";

    /// <summary>
    /// Makes <c>HttpContext.Session</c> an actor for everything after this. Before it belong error pages, response compression and static
    /// files; after it whatever uses the session.
    /// </summary>
    /// <exception cref="InvalidOperationException">A service is missing; the message says which call adds it.</exception>
    public static IApplicationBuilder UseActorSession(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var services = app.ApplicationServices.GetRequiredService<IServiceProviderIsService>();
        if (!services.IsService(typeof(SessionDoor)))
        {
            throw new InvalidOperationException(
                "UseActorSession needs services that are missing. Call builder.Services.AddActorSession().");
        }

        if (!services.IsService(typeof(IGrainFactory)))
        {
            throw new InvalidOperationException(
                $"{nameof(UseActorSession)} {NoGrains}");
        }

        return app.UseMiddleware<ActorSessionMiddleware>();
    }

    /// <summary>
    /// With <c>AddActorSessionStore()</c>, right after <c>UseSession()</c>: loads each request's session before whatever comes after this,
    /// so that no thread is held at the first look at it. It costs no more calls, since the session is renewed anyway. One that cannot be
    /// loaded is not available (<see cref="ISession.IsAvailable"/>), and the failure is logged.
    /// </summary>
    /// <exception cref="InvalidOperationException">With a request: <c>UseSession()</c> did not run, or with another store.</exception>
    public static IApplicationBuilder UseActorSessionStore(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Use(static async (HttpContext context, RequestDelegate next) =>
        {
            await (context.Features.Get<ISessionFeature>()?.Session is KeyedSession session
                ? session.TryLoadAsync()
                : throw new InvalidOperationException(
                    "UseActorSessionStore finds no session that AddActorSessionStore() keeps. Call app.UseSession() before it, and "
                    + "builder.Services.AddActorSessionStore() after whatever else registers an ISessionStore."));
            await next(context);
        });
    }
}
