using System.Diagnostics.Metrics;
using System.Globalization;
using System.Runtime;
using Orleans.Configuration;
using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>What a server has done since it started: bytes allocated, and time spent in the JIT compiler.</summary>
internal readonly record struct Effort(long AllocatedBytes, TimeSpan Compiling)
{
    public static Effort operator +(Effort one, Effort other) =>
        new(one.AllocatedBytes + other.AllocatedBytes, one.Compiling + other.Compiling);
}

/// <summary>One server under test: the same endpoints for all kinds, another session behind them.</summary>
internal static class BenchServer
{
    private static long _written;

    public static async Task RunAsync(ServerKind kind, string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings);
        AddSession(builder, kind);
        var app = builder.Build();
        MapState(app);
        app.MapGet("/none", () => "none").WithSessionAccess(SessionAccess.None);
        switch (kind)
        {
            case ServerKind.Bare:
                app.MapGet("/read", () => Task.FromResult("000000000000"));
                app.MapGet("/write", () => Task.FromResult(NextValue()));
                break;
            case ServerKind.Floor:
                FloorEndpoints.Map(app);
                break;
            default:
                UseSession(app, kind);
                SessionEndpoints.Map(app);
                SessionEndpoints.MapTurns(app, kind);
                if (kind == ServerKind.ActorRedis)
                {
                    app.MapGet("/sessions", SessionsAsync).WithSessionAccess(SessionAccess.None);
                    app.MapGet("/active", Active).WithSessionAccess(SessionAccess.None);
                    // It takes longer than Orleans waits for a call; how many are left tells when it is over.
                    app.MapGet("/collect", (IGrainFactory grains) =>
                        grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero).Ignore())
                        .WithSessionAccess(SessionAccess.None);
                }

                break;
        }

        await app.RunAsync();
    }

    /// <summary>The silo behind a web server that is only a client of it.</summary>
    public static async Task RunSiloAsync(string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings);
        builder.AddSessionSilo();
        var app = builder.Build();
        MapState(app);
        await app.RunAsync();
    }

    /// <summary>A value that nobody has written before.</summary>
    public static string NextValue() => Interlocked.Increment(ref _written).ToString("D12", CultureInfo.InvariantCulture);

    private static void MapState(WebApplication app)
    {
        app.MapGet("/", () => "here").WithSessionAccess(SessionAccess.None);
        app.MapGet("/effort", () => new Effort(GC.GetTotalAllocatedBytes(), JitInfo.GetCompilationTime()))
            .WithSessionAccess(SessionAccess.None);
        app.MapGet("/heap", HeapBytes).WithSessionAccess(SessionAccess.None);
    }

    /// <summary>How many sessions this server's silo has in memory, as Orleans counts activations.</summary>
    private static async Task<int> SessionsAsync(IGrainFactory grains, ILocalSiloDetails silo)
    {
        var statistics = await grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics([silo.SiloAddress]);
        return statistics.Where(grain => grain.GrainType.Contains("SessionActors.SessionGrain", StringComparison.Ordinal))
            .Sum(grain => grain.ActivationCount);
    }

    /// <summary>The same, as this server's own meter has it: at once, however busy Orleans is.</summary>
    private static long Active()
    {
        var active = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "sessionactors.sessions.active")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, count, _, _) => active += count);
        listener.Start();
        listener.RecordObservableInstruments();
        return active;
    }

    // Aggressive gives what is free back to the system, so that resident memory, which is asked for next, is memory in use.
    private static long HeapBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static void AddSession(WebApplicationBuilder builder, ServerKind kind)
    {
        var redis = builder.Configuration["SessionActors:Redis"];
        switch (kind)
        {
            case ServerKind.Floor:
                builder.Services.AddSingleton<IConnectionMultiplexer>(ConnectionMultiplexer.Connect(redis!));
                break;
            case ServerKind.StockMemory:
                builder.Services.AddDistributedMemoryCache().AddSession();
                break;
            case ServerKind.StockRedis:
                builder.Services.AddStackExchangeRedisCache(cache =>
                {
                    cache.Configuration = redis;
                    cache.InstanceName = "stock:";
                }).AddSession();
                builder.Services.AddSingleton<IConnectionMultiplexer>(ConnectionMultiplexer.Connect(redis!));
                builder.Services.AddSingleton<PollingLock>();
                break;
            case ServerKind.ActorEmbedded or ServerKind.ActorRedis:
                builder.AddSessionSilo();
                builder.Services.AddActorSession();
                break;
            case ServerKind.ActorClient:
                AddClient(builder, ConfigurationOptions.Parse(redis!), builder.Configuration["SessionActors:KeyPrefix"]!);
                builder.Services.AddActorSession();
                break;
        }
    }

    private static void AddClient(WebApplicationBuilder builder, ConfigurationOptions store, string keyPrefix) =>
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = keyPrefix.TrimEnd(':'));
            client.UseRedisClustering(redis =>
            {
                redis.ConfigurationOptions = store;
                redis.CreateRedisKey = cluster => $"{keyPrefix}@members:{cluster.ClusterId}";
            });
        });

    private static void UseSession(WebApplication app, ServerKind kind)
    {
        if (kind is ServerKind.ActorEmbedded or ServerKind.ActorRedis or ServerKind.ActorClient)
        {
            app.UseActorSession();
        }
        else
        {
            app.UseSession();
        }
    }
}
