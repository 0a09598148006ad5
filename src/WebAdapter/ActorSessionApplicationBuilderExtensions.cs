using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>Puts sessions into an application's pipeline.</summary>
public static class ActorSessionApplicationBuilderExtensions
{
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
                "UseActorSession finds no IGrainFactory: there is neither an Orleans silo nor a client. Call builder.AddSessionSilo() to "
                + "host a silo in this application, or builder.UseOrleansClient(…) to use one elsewhere.");
        }

        return app.UseMiddleware<ActorSessionMiddleware>();
    }
}
