using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Persistence;
using Orleans.Storage;

namespace SessionActors.UnitTests.Silo;

public sealed class RegistrationTests
{
    // Nothing listens there; registration must not ask.
    private const string Redis = "127.0.0.1:1";

    [Fact]
    public async Task Without_Redis_the_embedded_store_keeps_everything()
    {
        await using var app = Silo();

        Assert.IsType<SqliteSessionStorage>(app.Services.GetRequiredService<ISessionStorage>());
        Assert.IsType<SqliteGrainState>(app.Services.GetRequiredKeyedService<IGrainStorage>(CookieKeysGrain.StorageName));
        Assert.IsType<EmbeddedStoreCheck>(app.Services.GetRequiredService<StoreCheck>());
        Assert.DoesNotContain("Redis", app.Services.GetRequiredService<IMembershipTable>().GetType().Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_Redis_it_keeps_everything()
    {
        await using var app = Silo(configuration: ("Redis", Redis));

        Assert.IsType<RedisSessionStorage>(app.Services.GetRequiredService<ISessionStorage>());
        Assert.IsType<RedisGrainStorage>(app.Services.GetRequiredKeyedService<IGrainStorage>(CookieKeysGrain.StorageName));
        Assert.IsType<RedisStoreCheck>(app.Services.GetRequiredService<StoreCheck>());
        Assert.Equal("RedisMembershipTable", app.Services.GetRequiredService<IMembershipTable>().GetType().Name);
    }

    [Fact]
    public async Task Redis_that_is_set_after_the_registration_counts()
    {
        await using var app = Silo(after: services => services.Configure<SessionActorsOptions>(o => o.Redis = Redis));

        Assert.IsType<RedisSessionStorage>(app.Services.GetRequiredService<ISessionStorage>());
    }

    [Fact]
    public async Task Every_key_of_membership_and_grain_state_starts_with_the_prefix()
    {
        await using var app = Silo(configuration: [("Redis", Redis), ("KeyPrefix", "shop:")]);
        var members = app.Services.GetRequiredService<IOptions<Orleans.Clustering.Redis.RedisClusteringOptions>>().Value;
        var state = app.Services.GetRequiredService<IOptionsMonitor<RedisStorageOptions>>().Get(CookieKeysGrain.StorageName);

        Assert.Equal("shop:@members:shop", members.CreateRedisKey(app.Services.GetRequiredService<IOptions<ClusterOptions>>().Value));
        Assert.StartsWith("shop:@state:", (string)state.GetStorageKey!("ring", GrainId.Create("keys", "0"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Added_twice_it_is_there_once_and_both_delegates_apply_after_the_configuration()
    {
        var builder = Builder([("Ttl", "00:01:00"), ("MaxWaiters", "7")]);
        builder.AddSessionSilo(o => o.Ttl = TimeSpan.FromMinutes(2)).AddSessionSilo(o => o.MaxProperties = 3);
        builder.UseOrleans(silo => silo.AddSessionActors().AddSessionActors());
        await using var app = builder.Build();

        var options = app.Services.GetRequiredService<IOptions<SessionActorsOptions>>().Value;
        Assert.Equal((TimeSpan.FromMinutes(2), 3, 7), (options.Ttl, options.MaxProperties, options.MaxWaiters));
        foreach (var type in new[] { typeof(ISessionStorage), typeof(StoreCheck), typeof(SiloEndpoint), typeof(IMembershipTable) })
        {
            Assert.Single(app.Services.GetServices(type));
        }

        Assert.Single(app.Services.GetServices<IHostedService>().OfType<StoreCheckAtStart>());
    }

    [Fact]
    public async Task What_is_wrong_with_both_kinds_of_options_is_said_at_once_when_the_host_starts()
    {
        await using var app = Silo(configuration: [("Ttl", "00:00:00"), ("SiloPort", "0")]);

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(2, error.Failures.Count());
    }

    [Fact]
    public async Task No_bare_number_is_taken_for_days()
    {
        var times = typeof(SessionActorsOptions).GetProperties().Select(p => (p.Name, p.PropertyType))
            .Where(p => p.PropertyType == typeof(TimeSpan) || p.PropertyType == typeof(TimeSpan?)).Select(p => p.Name).ToList();
        await using var app = Silo(configuration: [.. times.Select(time => (time, "30"))]);

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.NotEmpty(times);
        Assert.All(times, time => Assert.Contains(
            $"SessionActors:{time} = 30 would be 30 days.", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_wrong_on_the_web_side_and_in_the_silo_is_said_at_once_when_the_host_starts()
    {
        var builder = Builder([("Ttl", "00:00:00"), ("SiloPort", "0"), ("IOTimeout", "00:00:00")]);
        builder.AddSessionSilo();
        builder.Services.AddActorSession();
        await using var app = builder.Build();
        app.UseActorSession();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(3, error.Failures.Count());
    }

    [Fact]
    public async Task A_silo_of_one_s_own_without_a_store_does_not_start_and_names_three_ways_out()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleans(silo => silo.UseLocalhostClustering().AddSessionActors());
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("SessionActors:Redis", error.Message, StringComparison.Ordinal);
        Assert.Contains("IConnectionMultiplexer", error.Message, StringComparison.Ordinal);
        Assert.Contains("AddSessionSilo", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_of_a_silo_of_one_s_own_is_that_of_its_sessions_once_the_check_is_added()
    {
        await using var without = SiloOfOnesOwn();
        await using var with = SiloOfOnesOwn(services => services.AddHealthChecks().AddSessionActors());

        var error = Assert.Throws<InvalidOperationException>(() => without.MapSessionHealth());
        with.MapSessionHealth();
        var health = await with.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Assert.Contains("AddHealthChecks().AddSessionActors()", error.Message, StringComparison.Ordinal);
        Assert.Contains("AddSessionSilo", error.Message, StringComparison.Ordinal);
        // It was never started.
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.StartsWith("The silo is ", Assert.Single(health.Entries).Value.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_that_nobody_calls_leave_the_memory_after_the_option_s_time()
    {
        await using var app = Silo(configuration: ("CollectionAge", "00:01:00"));

        var collection = app.Services.GetRequiredService<IOptions<GrainCollectionOptions>>().Value;

        Assert.Equal(TimeSpan.FromMinutes(1), collection.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!]);
        Assert.True(collection.CollectionQuantum < TimeSpan.FromMinutes(1));
    }

    private static WebApplication Silo(Action<IServiceCollection>? after = null, params (string Option, string Value)[] configuration)
    {
        var builder = Builder(configuration);
        builder.AddSessionSilo();
        after?.Invoke(builder.Services);
        return builder.Build();
    }

    private static WebApplication SiloOfOnesOwn(Action<IServiceCollection>? after = null)
    {
        var builder = Builder([("Redis", Redis)]);
        builder.UseOrleans(silo => silo.UseLocalhostClustering().AddSessionActors());
        after?.Invoke(builder.Services);
        return builder.Build();
    }

    private static WebApplicationBuilder Builder((string Option, string Value)[] configuration)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(configuration
            .Select(c => KeyValuePair.Create<string, string?>($"SessionActors:{c.Option}", c.Value))
            .Append(new("SessionActors:DataFolder", ":memory:")));
        return builder;
    }
}
