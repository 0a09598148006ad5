using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Where the sessions are.</summary>
internal sealed class Place
{
    private readonly SessionActorsOptions _options;

    private Place(SessionActorsOptions options, string? cluster, IPEndPoint? gateway) =>
        (_options, Cluster, Gateway) = (options, cluster ?? options.KeyPrefix.TrimEnd(':'), gateway);

    /// <summary>The cluster to ask.</summary>
    public string Cluster { get; }

    /// <summary>A silo's gateway; null where the silos are found through Redis.</summary>
    public IPEndPoint? Gateway { get; }

    /// <summary>The silos' options, as far as they say where in Redis the sessions are.</summary>
    /// <exception cref="ToolException">There is a gateway instead.</exception>
    public SessionActorsOptions Options => Gateway is null ? _options : throw new ToolException(
        ExitCode.Usage, "This reads Redis itself and needs --redis. Sessions in a silo's embedded store cannot be reached so.");

    /// <summary>The Redis for people, without a password.</summary>
    public string RedisName => "Redis " + string.Join(
        ", ", ConfigurationOptions.Parse(Options.Redis!).EndPoints.Select(endPoint => EndPointCollection.ToString(endPoint)));

    /// <summary>Takes what the command line says, and what it does not from the environment, as a server does.</summary>
    /// <exception cref="ToolException">It makes no sense.</exception>
    public static Place From(string? redis, string? prefix, string? cluster, string? gateway)
    {
        var environment = new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(SessionActorsOptions.Section);
        var options = new SessionActorsOptions
        {
            Redis = gateway is null ? redis ?? environment[nameof(SessionActorsOptions.Redis)] : redis,
            KeyPrefix = prefix ?? environment[nameof(SessionActorsOptions.KeyPrefix)] ?? new SessionActorsOptions().KeyPrefix,
            AllowEviction = bool.TryParse(environment[nameof(SessionActorsOptions.AllowEviction)], out var allowed) && allowed,
        };
        if (options.Redis is null == gateway is null)
        {
            throw new ToolException(
                ExitCode.Usage, "Say where the sessions are: either with --redis (or SessionActors__Redis), or with a silo's --gateway.");
        }

        if (new SessionActorsOptionsValidator().Validate(null, options) is { Failed: true } wrong)
        {
            throw new ToolException(ExitCode.Usage, $"--redis or --prefix makes no sense. {wrong.FailureMessage}");
        }

        cluster ??= environment["ClusterId"];
        return cluster is { Length: 0 }
            ? throw new ToolException(ExitCode.Usage, "--cluster (SessionActors:ClusterId) is empty. Give it a value, or leave it out.")
            : new Place(options, cluster, gateway is null ? null : EndPointOf(gateway));
    }

    private static IPEndPoint EndPointOf(string gateway)
    {
        if (gateway.LastIndexOf(':') is var colon && colon < 1
            || !ushort.TryParse(gateway.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new ToolException(ExitCode.Usage, $"--gateway {gateway} is no host and port, such as 127.0.0.1:30000.");
        }

        try
        {
            return new IPEndPoint(Dns.GetHostAddresses(gateway[..colon]).First(), port);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new ToolException(ExitCode.OutOfReach, $"The host of --gateway {gateway} is not known: {e.Message}", e);
        }
    }
}
