using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Storage;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Sets up a silo for sessions in an application.</summary>
public static class SessionSiloHostExtensions
{
    // A silo that dies is missed by its neighbours after three probes: about 2 s with probes of 1 s, 7 s with Orleans' own 5 s.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    // How long a silo that was paused or cut off may take itself for alive when it comes back.
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(5);

    // A silo that finds itself alone after a crash of all waits for three of these before it takes the others for dead.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(2);

    // Whoever looks for a session asks another silo's directory where it is. A question that gets lost with a silo that was paused or cut
    // off, all calls to that session wait for; with Orleans' own 30 s.
    private static readonly TimeSpan DirectoryTimeout = SessionRequest.DefaultPatience;

    private static readonly TimeSpan DeadEntriesKept = TimeSpan.FromHours(1);

    /// <summary>
    /// Adds a silo with the sessions' actors to this application, and the health check that
    /// <see cref="SessionHealthExtensions.MapSessionHealth"/> shows. With <c>SessionActors:Redis</c>, or an
    /// <c>IConnectionMultiplexer</c> in the container, sessions are kept there and any number of silos form a cluster; without, they are
    /// kept in a file of <see cref="SessionSiloOptions.DataFolder"/> and the silo is alone. Can be called more than once.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Changes the options after the configuration section <c>SessionActors</c> was read.</param>
    /// <exception cref="OptionsValidationException">At start-up: options are wrong. The message says all that is wrong.</exception>
    /// <exception cref="AggregateException">At start-up: so are the options of the web side, or others that are checked then.</exception>
    /// <exception cref="InvalidOperationException">At start-up: the store is not fit, or a port is taken.</exception>
    public static IHostApplicationBuilder AddSessionSilo(
        this IHostApplicationBuilder builder, Action<SessionActorsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var isFirst = !builder.Services.Any(s => s.ServiceType == typeof(SiloEndpoint));
        if (isFirst)
        {
            AddSilo(builder.Services);
        }

        builder.UseOrleans(silo =>
        {
            silo.AddSessionActors(configure);
            if (isFirst)
            {
                ConfigureSilo(silo.Services);
                AddMembership(silo);
            }
        });
        return builder;
    }

    private static void AddSilo(IServiceCollection services)
    {
        services.AddOptions<SessionSiloOptions>().BindConfiguration(SessionActorsOptions.Section);
        services.AddSingleton<IValidateOptions<SessionActorsOptions>, SessionSiloOptionsValidator>();
        services.AddSingleton<SiloEndpoint>();
        services.AddKeyedSingleton<ISessionStorage, SqliteSessionStorage>(StoreChoice.Embedded);
        services.AddKeyedSingleton<IEventStorage, SqliteEventStorage>(StoreChoice.Embedded);
        services.AddKeyedSingleton<IGrainStorage, SqliteGrainState>(StoreChoice.Embedded);
        services.AddKeyedSingleton<StoreCheck, EmbeddedStoreCheck>(StoreChoice.Embedded);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(OpenedBy);
        services.AddHostedService<SiloStart>();
        services.AddHealthChecks().AddSessionActors();
    }

    private static SqliteDatabase OpenedBy(IServiceProvider services)
    {
        var folder = services.GetRequiredService<IOptions<SessionSiloOptions>>().Value.DataFolder;
        if (folder != SqliteDatabase.InMemory)
        {
            folder = Path.GetFullPath(folder, services.GetRequiredService<IHostEnvironment>().ContentRootPath);
        }

        // The process before this one holds its file until it has shut down.
        var lockTimeout = services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;
        return new SqliteDatabase(folder, lockTimeout, services.GetRequiredService<TimeProvider>());
    }

    private static void ConfigureSilo(IServiceCollection services)
    {
        services.AddOptions<ClusterOptions>().Configure<SiloEndpoint>((cluster, endpoint) =>
        {
            cluster.ClusterId = endpoint.ClusterId;
            cluster.ServiceId = endpoint.ServiceId;
        });
        services.AddOptions<EndpointOptions>().Configure<SiloEndpoint>((endpoints, endpoint) =>
        {
            endpoints.AdvertisedIPAddress = endpoint.Address;
            endpoints.SiloPort = endpoint.SiloPort;
            endpoints.GatewayPort = endpoint.GatewayPort;
        });
        services.Configure<SiloMessagingOptions>(messaging => messaging.SystemResponseTimeout = DirectoryTimeout);
        services.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = ProbeTimeout;
            membership.TableRefreshTimeout = TableRefresh;
            membership.IAmAliveTablePublishTimeout = SignOfLife;
            membership.DefunctSiloExpiration = DeadEntriesKept;
        });
    }

    // Orleans' registrations each take the place of the other; which one holds is known only when the store is (see StoreChoice).
    private static void AddMembership(ISiloBuilder silo)
    {
        silo.UseDevelopmentClustering(primarySiloEndpoint: null);
        var alone = TakeMembership(silo.Services);
        silo.UseRedisClustering(_ => { });
        var together = TakeMembership(silo.Services);
        silo.Services.AddOptions<RedisClusteringOptions>().Configure<SiloEndpoint, RedisConnection>((redis, endpoint, connection) =>
        {
            // Orleans asks for it even where the connection comes from elsewhere.
            redis.ConfigurationOptions = new ConfigurationOptions();
            redis.CreateMultiplexer = async _ => (await connection.GetAsync(), IsShared: true);
            redis.CreateRedisKey = _ => MembersKeeper.KeyOf(endpoint);
        });
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, MembersKeeper>();
        silo.Services.AddSingleton(sp => (IMembershipTable)(sp.UsesRedis() ? together : alone)(sp));
    }

    private static Func<IServiceProvider, object> TakeMembership(IServiceCollection services)
    {
        var membership = services.Last(s => s.ServiceType == typeof(IMembershipTable));
        services.Remove(membership);
        return membership.ImplementationFactory
            ?? (sp => ActivatorUtilities.CreateInstance(sp, membership.ImplementationType!));
    }
}
