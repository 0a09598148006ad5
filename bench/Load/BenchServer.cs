using System.Globalization;
using System.Runtime;
using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>What is compared.</summary>
internal enum ServerKind
{
    /// <summary>The same endpoints without any session.</summary>
    Bare,

    /// <summary>ASP.NET Core's session in the memory of the process.</summary>
    StockMemory,

    /// <summary>SessionActors on its embedded store.</summary>
    ActorEmbedded,

    /// <summary>ASP.NET Core's session on Redis.</summary>
    StockRedis,

    /// <summary>SessionActors on Redis.</summary>
    ActorRedis,
}

/// <summary>What a server has done since it started: bytes allocated, and time spent in the JIT compiler.</summary>
internal readonly record struct Effort(long AllocatedBytes, TimeSpan Compiling);

/// <summary>One server under test: the same endpoints for all kinds, another session behind them.</summary>
internal static class BenchServer
{
    private static readonly byte[] Filling = [.. Enumerable.Repeat((byte)'x', 1000)];

    private static long _written;

    public static async Task RunAsync(ServerKind kind, string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings);
        AddSession(builder, kind);
        var app = builder.Build();
        app.MapGet("/", () => "here").WithSessionAccess(SessionAccess.None);
        app.MapGet("/none", () => "none").WithSessionAccess(SessionAccess.None);
        app.MapGet("/effort", () => new Effort(GC.GetTotalAllocatedBytes(), JitInfo.GetCompilationTime()))
            .WithSessionAccess(SessionAccess.None);
        if (kind == ServerKind.Bare)
        {
            app.MapGet("/read", () => Task.FromResult("000000000000"));
            app.MapGet("/write", () => Task.FromResult(NextValue()));
        }
        else
        {
            UseSession(app, kind);
            MapSession(app);
            MapTurns(app, kind);
        }

        await app.RunAsync();
    }

    private static void AddSession(WebApplicationBuilder builder, ServerKind kind)
    {
        switch (kind)
        {
            case ServerKind.StockMemory:
                builder.Services.AddDistributedMemoryCache().AddSession();
                break;
            case ServerKind.StockRedis:
                builder.Services.AddStackExchangeRedisCache(redis =>
                {
                    redis.Configuration = builder.Configuration["SessionActors:Redis"];
                    redis.InstanceName = "stock:";
                }).AddSession();
                builder.Services.AddSingleton<IConnectionMultiplexer>(
                    ConnectionMultiplexer.Connect(builder.Configuration["SessionActors:Redis"]!));
                builder.Services.AddSingleton<PollingLock>();
                break;
            case ServerKind.ActorEmbedded or ServerKind.ActorRedis:
                builder.AddSessionSilo();
                builder.Services.AddActorSession();
                break;
        }
    }

    private static void UseSession(WebApplication app, ServerKind kind)
    {
        if (kind is ServerKind.ActorEmbedded or ServerKind.ActorRedis)
        {
            app.UseActorSession();
        }
        else
        {
            app.UseSession();
        }
    }

    // LoadAsync first: without it ASP.NET Core's session loads synchronously and starves the thread pool. An actor's is loaded already.
    private static void MapSession(WebApplication app)
    {
        app.MapGet("/read", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            return http.Session.GetString("value") ?? "-";
        });
        app.MapGet("/write", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            var value = NextValue();
            http.Session.SetString("value", value);
            return value;
        });
        app.MapGet("/add/{name}", async (HttpContext http, string name) =>
        {
            await http.Session.LoadAsync();
            http.Session.SetString(name, "added");
            return "added";
        });
        app.MapGet("/fill/{kilobytes:int}", async (HttpContext http, int kilobytes) =>
        {
            await http.Session.LoadAsync();
            for (var i = 0; i < kilobytes; i++)
            {
                http.Session.Set($"{i}", Filling);
            }

            return "filled";
        });
        app.MapGet("/count", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            return http.Session.Keys.Count().ToString(CultureInfo.InvariantCulture);
        });
        app.MapGet("/destroy", async (HttpContext http) =>
        {
            await http.Session.LoadAsync();
            if (http.Session is IActorSession actor)
            {
                await actor.DestroyAsync();
            }
            else
            {
                http.Session.Clear();
            }

            return "destroyed";
        });
    }

    private static void MapTurns(WebApplication app, ServerKind kind)
    {
        if (kind == ServerKind.StockRedis)
        {
            app.MapGet("/polled/{milliseconds:int}", (HttpContext http, PollingLock turns, int milliseconds) =>
                // By the cookie: asked for its Id, the session would load itself, synchronously and before it is locked.
                turns.WithinAsync(http.Request.Cookies[".AspNetCore.Session"]!, TimeSpan.FromMilliseconds(milliseconds), async () =>
                {
                    await http.Session.LoadAsync();
                    var value = NextValue();
                    http.Session.SetString("value", value);
                    await http.Session.CommitAsync();
                    return value;
                }));
        }
        else if (kind == ServerKind.ActorRedis)
        {
            app.MapGet("/exclusive", async (HttpContext http) =>
            {
                await http.Session.LoadAsync();
                var value = NextValue();
                http.Session.SetString("value", value);
                return value;
            }).WithSessionAccess(SessionAccess.Exclusive);
        }
    }

    private static string NextValue() => Interlocked.Increment(ref _written).ToString("D12", CultureInfo.InvariantCulture);
}
