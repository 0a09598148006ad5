using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Sessions as the cluster that serves them has them, asked as an Orleans client.</summary>
internal static class ClusterSessions
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Task<ShownSession> ReadAsync(Place place, SessionHandle session, bool values) => AskAsync(place, async grains =>
    {
        var found = await FindAsync(grains, session);
        return new ShownSession
        {
            Handle = session,
            Version = found.Version,
            TtlSeconds = found.Ttl.TotalSeconds,
            Generation = found.Generation,
            User = found.UserId,
            GoesWith = found.GoesWith?.ToString(),
            Properties = ShownSession.Of(found.Properties, values),
        };
    });

    public static Task<ImmutableArray<UserSession>> ListAsync(Place place, string user) => AskAsync(place, async grains =>
    {
        var (list, sessions) = (grains.GetGrain<IUserSessionsGrain>(user), ImmutableArray.CreateBuilder<UserSession>());
        string? after = null;
        do
        {
            var page = await list.ListAsync(after);
            sessions.AddRange(page.Sessions);
            after = page.Next;
        }
        while (after is not null);
        return sessions.ToImmutable();
    });

    public static Task EndAsync(Place place, SessionHandle session) => AskAsync(place, async grains =>
    {
        // Where it is a user's, what goes with it ends too: the ticket that would let the same browser in again.
        if ((await FindAsync(grains, session)).UserId is not { } user
            || !await grains.GetGrain<IUserSessionsGrain>(user).EndAsync(session))
        {
            await grains.GetGrain<ISessionGrain>(session).DestroyAsync();
        }

        return true;
    });

    public static Task EndAsync(Place place, string user, SessionHandle? kept) => AskAsync(place, async grains =>
    {
        var sessions = grains.GetGrain<IUserSessionsGrain>(user);
        if (kept is not { } one)
        {
            await sessions.EndAllAsync();
        }
        else if ((await FindAsync(grains, one)).UserId == user)
        {
            await sessions.EndOthersAsync(one);
        }
        else
        {
            // A slip in the handle must not end the one that is to stay.
            throw new ToolException(ExitCode.NotThere, "The session that is to be kept is not this user's. Nothing was ended.");
        }

        return true;
    });

    private static async Task<SessionSnapshot> FindAsync(IGrainFactory grains, SessionHandle handle)
    {
        var session = grains.GetGrain<ISessionGrain>(handle);
        return await session.RetryAsync(Patience, () => session.ReadAsync().AsTask())
            ?? throw new ToolException(ExitCode.NotThere, $"There is no session {handle} (any more).");
    }

    private static async Task<T> AskAsync<T>(Place place, Func<IGrainFactory, Task<T>> ask)
    {
        var host = await ConnectAsync(place);
        T answer;
        try
        {
            answer = await ask(host.Services.GetRequiredService<IGrainFactory>());
        }
        catch (SessionException e)
        {
            throw new ToolException(ExitCode.OutOfReach, e.Message, e);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or OperationCanceledException)
        {
            throw new ToolException(
                ExitCode.OutOfReach,
                $"The cluster did not answer, so nobody knows what was done; repeating it does no harm. {e.Message}", e);
        }

        await host.StopAsync();
        host.Dispose();
        return answer;
    }

    private static async Task<IHost> ConnectAsync(Place place)
    {
        // Empty: what lies in the folder that somebody happens to be in is no configuration of ours.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = place.Cluster);
            // Left alone, a client waits for a silo for ever.
            client.UseConnectionRetryFilter((_, _) => Task.FromResult(false));
            if (place.Gateway is not null)
            {
                client.UseStaticClustering(place.Gateway);
            }
            else
            {
                client.UseRedisClustering(redis =>
                {
                    redis.ConfigurationOptions = ConfigurationOptions.Parse(place.Options.Redis!);
                    redis.CreateRedisKey = cluster => $"{place.Options.KeyPrefix}@members:{cluster.ClusterId}";
                });
            }
        });
        var host = builder.Build();
        try
        {
            await host.StartAsync().WaitAsync(Patience, TimeProvider.System);
            return host;
        }
        catch (Exception e) when (e is OrleansException or RedisException or TimeoutException or InvalidOperationException)
        {
            // Not disposed: that would wait for Orleans to give up, which takes minutes.
            var where = place.Gateway is { } gateway ? $"at {gateway}" : $"of cluster '{place.Cluster}' through {place.RedisName}";
            throw new ToolException(
                ExitCode.OutOfReach,
                $"No silo {where} answers: {e.Message}\nCheck that one runs, and where --redis, --prefix and --cluster, or "
                + "--gateway, look for it.", e);
        }
    }
}
