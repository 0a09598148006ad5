using System.Net;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// The one connection to Redis that everything shares: sessions, membership and small grain state. It is made from
/// <see cref="SessionActorsOptions.Redis"/> when it is first asked for; without that option it is the container's
/// <see cref="IConnectionMultiplexer"/>, which stays the container's to configure and to dispose.
/// </summary>
internal sealed class RedisConnection(IOptions<SessionActorsOptions> options, IConnectionMultiplexer? multiplexer = null)
    : IAsyncDisposable, IDisposable
{
    private readonly Lock _gate = new();
    private Task<IConnectionMultiplexer>? _connected;
    private ConnectionMultiplexer? _own;
    private bool _disposed;

    /// <summary>
    /// The connection. Once there, it reconnects by itself; while it cannot, commands fail at once. A first connect that fails is tried
    /// again by the next call.
    /// </summary>
    /// <exception cref="InvalidOperationException">Redis cannot be reached, or turns us away.</exception>
    /// <exception cref="ObjectDisposedException">The host is shutting down.</exception>
    public Task<IConnectionMultiplexer> GetAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connected is null or { IsCompleted: true, IsCompletedSuccessfully: false })
            {
                _connected = options.Value.Redis is { } configuration
                    ? ConnectAsync(configuration)
                    : Task.FromResult(multiplexer ?? throw new InvalidOperationException(
                        $"No Redis is set. Set {SessionActorsOptions.Section}:Redis, or register an IConnectionMultiplexer."));
            }

            return _connected;
        }
    }

    public void Dispose() => TakeOwn()?.Dispose();

    public async ValueTask DisposeAsync()
    {
        if (TakeOwn() is { } own)
        {
            await own.DisposeAsync();
        }
    }

    /// <summary>The connection where it is ours to dispose. A first connect that is under way disposes its own.</summary>
    private ConnectionMultiplexer? TakeOwn()
    {
        lock (_gate)
        {
            _disposed = true;
            var own = _own;
            _own = null;
            return own;
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string configuration)
    {
        var settings = Settings(configuration);
        // Before a Sentinel puts those of the servers in their place.
        var addresses = string.Join(", ", settings.EndPoints.Select(AddressOf));
        ConnectionMultiplexer connected;
        try
        {
            connected = await ConnectionMultiplexer.ConnectAsync(settings);
        }
        catch (RedisConnectionException cause)
        {
            throw new InvalidOperationException(
                $"Redis {addresses} cannot be used: {RedisRefusal.Why(settings, cause)} Check that it runs, "
                + $"that {SessionActorsOptions.Section}:Redis names its address, and that user, password and TLS settings there are right.",
                cause);
        }

        lock (_gate)
        {
            if (!_disposed)
            {
                return _own = connected;
            }
        }

        await connected.DisposeAsync();
        throw new ObjectDisposedException(nameof(RedisConnection));
    }

    private static string AddressOf(EndPoint endPoint) => endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString()!;

    private static ConfigurationOptions Settings(string configuration)
    {
        // What comes later counts, so the user's own word does.
        var settings = ConfigurationOptions.Parse($"asyncTimeout=1500,{configuration}");
        // A first connect that fails says so; GetAsync tries again.
        settings.AbortOnConnectFail = true;
        // A write must not be sent long after its caller has given up.
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        // Time-outs are noticed at heartbeats only, so a heartbeat is how exact they are. Each one costs a PING, which finds a connection
        // that has lost its place in the stream of replies.
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        settings.HeartbeatConsistencyChecks = true;
        // Keys name sessions; details would put them into messages.
        settings.IncludeDetailInExceptions = false;
        settings.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: 250, maxDeltaBackOffMilliseconds: 5000);
        return settings;
    }
}
