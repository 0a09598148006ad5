using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace SessionActors;

/// <summary>A silo's address, and its name as an owner.</summary>
internal sealed class StubSilo(int generation) : ILocalSiloDetails
{
    public string Name => $"silo{generation}";

    public string ClusterId => "sim";

    public string DnsHostName => "localhost";

    public SiloAddress SiloAddress { get; } = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11111), generation);

    public SiloAddress GatewayAddress => SiloAddress;

    /// <summary>Of a cluster whose members nobody knows.</summary>
    public OwnerNames Names => new(Options.Create(new ClusterOptions { ClusterId = ClusterId, ServiceId = ClusterId }), this);
}
