using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>Has the events of sessions told.</summary>
public static class SessionEventsExtensions
{
    /// <summary>
    /// Has the events of all sessions that are created from now on told to a handler in the silos: see <see cref="ISessionEvents"/>. The
    /// same in every silo of a cluster. More than one can be added; each hears everything.
    /// </summary>
    /// <typeparam name="T">The handler; one object in each silo.</typeparam>
    /// <param name="services">The services of the silo.</param>
    public static IServiceCollection AddSessionEvents<T>(this IServiceCollection services)
        where T : class, ISessionEvents
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<ISessionEvents, T>();
    }

    /// <summary>
    /// Has the events told to another service of the cluster: to its grains behind an interface of its own. The same in every silo that has
    /// sessions.
    /// </summary>
    /// <typeparam name="T">The service's interface. Its grains have the keys 0 to 15; a session is always told of to the same.</typeparam>
    /// <param name="services">The services of the silo.</param>
    public static IServiceCollection AddSessionEventsGrain<T>(this IServiceCollection services)
        where T : ISessionEventsGrain
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<ISessionEvents, ToGrains<T>>();
    }

    private sealed class ToGrains<T>(IGrainFactory grains) : ISessionEvents
        where T : ISessionEventsGrain
    {
        public Task OnStartedAsync(SessionEvent started, CancellationToken cancellationToken) => TellAsync(started, cancellationToken);

        public Task OnRotatedAsync(SessionEvent rotated, CancellationToken cancellationToken) => TellAsync(rotated, cancellationToken);

        public Task OnEndedAsync(SessionEvent ended, CancellationToken cancellationToken) => TellAsync(ended, cancellationToken);

        private Task TellAsync(SessionEvent happened, CancellationToken cancellationToken)
        {
            Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
            happened.Handle.CopyTo(bytes);
            return grains.GetGrain<T>(bytes[0] % ISessionEventsGrain.Count).OnEventAsync(happened, cancellationToken);
        }
    }
}
