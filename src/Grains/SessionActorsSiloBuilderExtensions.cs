using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Persistence;
using Orleans.Storage;

namespace SessionActors;

/// <summary>Adds the sessions' actors to a silo.</summary>
public static class SessionActorsSiloBuilderExtensions
{
    /// <summary>
    /// Adds the sessions' actors to a silo that the application configures itself. The store is the Redis of
    /// <see cref="SessionActorsOptions.Redis"/>, or the <c>IConnectionMultiplexer</c> in the container; without either the host does not
    /// start. Can be called more than once: every <paramref name="configure"/> applies.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="configure">Changes the options after the configuration section <c>SessionActors</c> was read.</param>
    /// <exception cref="OptionsValidationException">At start-up: options are wrong. The message says all that is wrong.</exception>
    /// <exception cref="AggregateException">At start-up: so are the options of the web side, or others that are checked then.</exception>
    /// <exception cref="InvalidOperationException">At start-up: there is no store, or it is not fit. The message says the mend.</exception>
    public static ISiloBuilder AddSessionActors(this ISiloBuilder silo, Action<SessionActorsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(silo);
        var services = silo.Services;
        if (!services.Any(s => s.ServiceType == typeof(SessionMetrics)))
        {
            AddOptions(services);
            services.AddMetrics();
            services.AddSingleton<SessionMetrics>();
            services.AddSingleton<OwnerNames>();
            services.AddSingleton<SessionSilo>();
            services.AddSingleton<ILocalSessions>(sp => sp.GetRequiredService<SessionSilo>().Live);
            services.AddSingleton<RedlockGuard>();
            services.AddSingleton<PreviousOwners>();
            silo.AddGrainService<HandOver>();
            // What Orleans logs of every grain service, its range of a ring, means nothing here: it is called by its silo's address.
            services.AddLogging(logging => logging.AddFilter(typeof(HandOver).FullName, LogLevel.Warning));
            services.AddSingleton<UserLists>();
            services.AddSingleton<EventTeller>();
            services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, EventSweeper>();
            services.AddSingleton<TellSilos>();
            silo.AddGrainService<UserNews>();
            services.AddLogging(logging => logging.AddFilter(typeof(UserNews).FullName, LogLevel.Warning));
            services.AddHostedService<StoreAtStop>();
            services.AddHostedService(sp => sp.GetRequiredService<RedlockGuard>());
            services.TryAddSingleton(TimeProvider.System);
            services.TryAddSingleton<RedisConnection>();
            AddServingLease(services);
            AddSessionStorage(services);
            AddGrainStorage(services, CookieKeysGrain.StorageName);
            AddGrainStorage(services, UserSessionPages.StorageName, UserSessionPages.KeptUnused);
        }

        // After the configuration section was bound, so that code wins.
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return silo;
    }

    private static void AddOptions(IServiceCollection services)
    {
        services.AddOptions<SessionActorsOptions>().BindConfiguration(SessionActorsOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<SessionActorsOptions>, SessionActorsOptionsValidator>());
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<SessionActorsOptions>, CrossClusterOptionsValidator>());
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<SessionActorsOptions>, ConfiguredTimes<SessionActorsOptions>>());
        // Before the silo, which is a hosted service too.
        services.Insert(0, ServiceDescriptor.Singleton<IHostedService, OptionsCheckAtStart>());
        services.AddOptions<GrainCollectionOptions>().Configure<IOptions<SessionActorsOptions>>(CollectSessions);
    }

    private static void CollectSessions(GrainCollectionOptions collection, IOptions<SessionActorsOptions> options)
    {
        var age = options.Value.CollectionAge;
        collection.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!] = age;
        if (age <= collection.CollectionQuantum)
        {
            // Orleans wants to look more often than anything may be collected.
            collection.CollectionQuantum = age / 2;
        }
    }

    private static void AddServingLease(IServiceCollection services)
    {
        services.AddSingleton<SiloStanding>();
        services.AddSingleton<StoreWatch>();
        services.AddSingleton<Healing>();
        services.AddSingleton<CookieKeysKeeper>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(sp => sp.GetRequiredService<CookieKeysKeeper>());
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, Healer>();
        services.AddSingleton(sp => ActivatorUtilities.CreateInstance<ServingLease>(
            sp, (Func<CancellationToken, Task<SiloStatus>>)sp.GetRequiredService<SiloStanding>().ReadAsync));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(sp => sp.GetRequiredService<ServingLease>());
    }

    private static void AddSessionStorage(IServiceCollection services)
    {
        if (services.Any(s => s.ServiceType == typeof(ISessionStorage) && !s.IsKeyedService))
        {
            return;
        }

        services.TryAddSingleton<RedisSessionStorage>();
        services.AddSingleton(sp => sp.FromStore<ISessionStorage>(redis => redis.GetRequiredService<RedisSessionStorage>()));
        services.TryAddSingleton<RedisEventStorage>();
        services.AddSingleton(sp => sp.FromStore<IEventStorage>(redis => redis.GetRequiredService<RedisEventStorage>()));
        services.TryAddSingleton<RedisStoreCheck>();
        services.AddSingleton(sp => sp.FromStore<StoreCheck>(redis => redis.GetRequiredService<RedisStoreCheck>()));
        services.AddHostedService<StoreCheckAtStart>();
    }

    private static void AddGrainStorage(IServiceCollection services, string name, TimeSpan? keptUnused = null)
    {
        if (services.Any(s => s.ServiceType == typeof(IGrainStorage) && name.Equals(s.ServiceKey)))
        {
            return;
        }

        services.AddOptions<RedisStorageOptions>(name).Configure<IOptions<SessionActorsOptions>, RedisConnection>(
            (storage, options, connection) =>
            {
                storage.CreateMultiplexer = async _ => (await connection.GetAsync(), IsShared: true);
                storage.GetStorageKey = (type, id) => $"{options.Value.KeyPrefix}@state:{type}/{id}";
                storage.EntryExpiry = keptUnused;
            });
        services.AddKeyedSingleton(name, (sp, _) => sp.FromStore<IGrainStorage>(redis => RedisGrainStorageFactory.Create(redis, name)));
        services.AddSingleton(sp =>
            sp.GetRequiredKeyedService<IGrainStorage>(name) as ILifecycleParticipant<ISiloLifecycle> ?? new NoParticipant());
    }

    /// <summary>Stands in for a grain storage that needs no start.</summary>
    private sealed class NoParticipant : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle observer)
        {
        }
    }
}
