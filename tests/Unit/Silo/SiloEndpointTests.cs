using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace SessionActors.UnitTests.Silo;

public sealed class SiloEndpointTests
{
    [Fact]
    public void Without_ports_on_loopback_two_free_ones_below_the_system_s_own_are_chosen()
    {
        var endpoint = Endpoint(new SessionSiloOptions());

        Assert.InRange(endpoint.SiloPort, 20_000, 32_767);
        Assert.InRange(endpoint.GatewayPort, 20_000, 32_767);
        Assert.NotEqual(endpoint.SiloPort, endpoint.GatewayPort);
        endpoint.EnsureFree();
    }

    [Fact]
    public void Without_ports_on_another_address_Orleans_own_are_taken()
    {
        var endpoint = Endpoint(new SessionSiloOptions { AdvertisedAddress = "10.0.0.5" });

        Assert.Equal((11_111, 30_000), (endpoint.SiloPort, endpoint.GatewayPort));
    }

    [Theory]
    [InlineData(true, "SessionActors:SiloPort")]
    [InlineData(false, "SessionActors:GatewayPort")]
    public void A_port_that_somebody_has_is_refused_by_its_option(bool silo, string option)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var endpoint = Endpoint(silo ? new SessionSiloOptions { SiloPort = port } : new SessionSiloOptions { GatewayPort = port });

        var error = Assert.Throws<InvalidOperationException>(endpoint.EnsureFree);

        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
        Assert.IsType<SocketException>(error.InnerException);
    }

    [Fact]
    public void Cluster_and_service_are_named_by_the_key_prefix_unless_set()
    {
        var derived = Endpoint(new SessionSiloOptions(), keyPrefix: "shop:session:");
        var set = Endpoint(new SessionSiloOptions { ClusterId = "c", ServiceId = "s" });

        Assert.Equal(("shop:session", "shop:session"), (derived.ClusterId, derived.ServiceId));
        Assert.Equal(("c", "s"), (set.ClusterId, set.ServiceId));
    }

    private static SiloEndpoint Endpoint(SessionSiloOptions options, string keyPrefix = "session:") =>
        new(Options.Create(new SessionActorsOptions { KeyPrefix = keyPrefix }), Options.Create(options));
}
