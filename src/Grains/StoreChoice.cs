using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Which store keeps the sessions. It is decided when the services are resolved and not when they are registered: configuration, options
/// and a connection may come after, as they do in tests of an application.
/// </summary>
internal static class StoreChoice
{
    /// <summary>The key that a store besides Redis is registered under.</summary>
    public const string Embedded = "SessionActors.Embedded";

    public static bool UsesRedis(this IServiceProvider services) =>
        services.GetRequiredService<IOptions<SessionActorsOptions>>().Value.Redis is not null
        || services.GetService<IConnectionMultiplexer>() is not null;

    /// <summary>What Redis needs, or what is registered as <see cref="Embedded"/>.</summary>
    public static T FromStore<T>(this IServiceProvider services, Func<IServiceProvider, T> redis)
        where T : class =>
        services.UsesRedis() ? redis(services) : services.GetKeyedService<T>(Embedded) ?? throw new InvalidOperationException(
            "SessionActors has no store to keep the sessions in. Do one of these three: set SessionActors:Redis to the address of a Redis, "
            + "such as 127.0.0.1:6379; or add an IConnectionMultiplexer to the services; or call builder.AddSessionSilo() from "
            + "SessionActors.Silo instead of AddSessionActors(), which brings an embedded store.");
}
