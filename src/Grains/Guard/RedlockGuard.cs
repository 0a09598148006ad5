using System.Net;
using Medallion.Threading;
using Medallion.Threading.Redis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// The lock masters, and the locks that the Redlock algorithm makes of them. The algorithm is DistributedLock's, and so is its clock; this
/// connects the masters, each by itself, and tells what came of a try. It gives order, not safety: see docs/design.md.
/// </summary>
internal sealed class RedlockGuard(IOptions<SessionActorsOptions> options, ILogger<RedlockGuard> logger) : IHostedService, IAsyncDisposable
{
    // A master that hangs costs a try so long where its vote decides; a lock must be worth something still when all have voted.
    private static readonly TimeSpan LongestReply = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a majority may be missing before it is said: long enough for a connection that was cut to come back, short enough that
    /// requests do not pile up.
    /// </summary>
    public static readonly TimeSpan NoMajorityPatience = TimeSpan.FromSeconds(1);

    private readonly SessionActorsOptions _options = options.Value;
    private readonly Lock _gate = new();
    private readonly List<ConnectionMultiplexer> _connections = [];
    private Task<IDatabase[]>? _masters;
    private bool _disposed;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.CrossCluster is not null)
        {
            // Not to be waited for by the first request. A master that is out of reach is in the log, and does not stop the start.
            await Task.WhenAny(ConnectedAsync());
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Takes the lock, asking again until the patience is used up; once at least. A missing majority is asked again for a second only.
    /// </summary>
    public async Task<GuardReply> TryTakeAsync(string key, TimeSpan patience)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var left = patience - TimeProvider.System.GetElapsedTime(started);
                var redlock = new RedisDistributedLock(key, await ConnectedAsync(), Configure);
                return await redlock.TryAcquireAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero) is { } handle
                    ? new GuardReply(GuardOutcome.Held, handle)
                    : new GuardReply(GuardOutcome.Busy);
            }
            catch (Exception e) when (IsOutOfReach(e))
            {
                var passed = TimeProvider.System.GetElapsedTime(started);
                if (passed >= NoMajorityPatience || passed >= patience)
                {
                    return new GuardReply(GuardOutcome.NoMajority, Error: e);
                }

                await Task.Delay(_options.RetryTime, TimeProvider.System);
            }
        }
    }

    /// <summary>Gives a lock back; one that cannot be given back expires.</summary>
    public static async Task ReleaseAsync(IDistributedSynchronizationHandle handle)
    {
        try
        {
            await handle.DisposeAsync();
        }
        catch (Exception e) when (IsOutOfReach(e))
        {
            // Who waits for it finds that out by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        ConnectionMultiplexer[] connections;
        lock (_gate)
        {
            _disposed = true;
            connections = [.. _connections];
            _connections.Clear();
        }

        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    private static bool IsOutOfReach(Exception error) => error switch
    {
        AggregateException many => many.InnerExceptions.All(IsOutOfReach),
        RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException => true,
        _ => false,
    };

    private void Configure(RedisDistributedSynchronizationOptionsBuilder redlock) => redlock
        .Expiry(_options.LockExpiry)
        // What a try may take is the rest: longer than a master takes to be given up.
        .MinValidityTime(_options.LockExpiry / 2)
        .BusyWaitSleepTime(_options.RetryTime / 2, _options.RetryTime * 3 / 2);

    private Task<IDatabase[]> ConnectedAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _masters is null or { IsFaulted: true }
                ? _masters = Task.WhenAll(_options.CrossCluster!.Redlock.Select(ConnectAsync))
                : _masters;
        }
    }

    /// <summary>A connection that comes when its master does; it is waited for no longer than a reply.</summary>
    private async Task<IDatabase> ConnectAsync(string configuration)
    {
        var settings = Settings(configuration);
        var master = AddressOf(settings.EndPoints[0]);
        var connection = await ConnectionMultiplexer.ConnectAsync(settings);
        lock (_gate)
        {
            _connections.Add(connection);
        }

        // Once for each outage, however often it is tried again.
        var isLost = 0;
        connection.ConnectionFailed += (_, failed) => Lost(failed.Exception);
        connection.ConnectionRestored += (_, _) =>
        {
            if (connection.IsConnected && Interlocked.Exchange(ref isLost, 0) == 1)
            {
                GrainLog.MasterBack(logger, master);
            }
        };
        if (!connection.IsConnected)
        {
            Lost(error: null);
        }

        return connection.GetDatabase();

        void Lost(Exception? error)
        {
            if (Interlocked.Exchange(ref isLost, 1) == 0)
            {
                GrainLog.MasterLost(logger, master, error);
            }
        }
    }

    private ConfigurationOptions Settings(string configuration)
    {
        var replyMs = (int)LeaseTimes.Least(_options.LockExpiry / 4, LongestReply).TotalMilliseconds;
        var connectMs = (int)LongestReply.TotalMilliseconds;
        // What comes later counts, so the user's own word does.
        var settings = ConfigurationOptions.Parse(
            $"asyncTimeout={replyMs},syncTimeout={replyMs},connectTimeout={connectMs},connectRetry=1,{configuration}");
        settings.AbortOnConnectFail = false;
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        settings.HeartbeatConsistencyChecks = true;
        settings.IncludeDetailInExceptions = false;
        settings.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: 250, maxDeltaBackOffMilliseconds: 2000);
        return settings;
    }

    private static string AddressOf(EndPoint endPoint) => endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString()!;
}
