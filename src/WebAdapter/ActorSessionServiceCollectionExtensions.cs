using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Registers what <c>UseActorSession</c> needs.</summary>
public static class ActorSessionServiceCollectionExtensions
{
    private const string Section = "SessionActors";

    /// <summary>
    /// Adds sessions that are actors. The application needs a silo or an Orleans client besides: <c>AddSessionSilo</c>, or
    /// <c>UseOrleansClient</c>. Called again it only applies the delegate.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options after the configuration section <c>SessionActors</c> was read.</param>
    public static IServiceCollection AddActorSession(this IServiceCollection services, Action<ActorSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (!services.Any(service => service.ServiceType == typeof(SessionDoor)))
        {
            services.AddLogging();
            services.AddMetrics();
            services.AddOptions<ActorSessionOptions>().BindConfiguration(Section).ValidateOnStart();
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<ActorSessionOptions>, ActorSessionOptionsValidator>());
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<ActorSessionOptions>, ConfiguredTimes<ActorSessionOptions>>());
            services.AddSingleton<SessionDoor>();
        }

        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }
}
