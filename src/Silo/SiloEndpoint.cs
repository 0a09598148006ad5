using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace SessionActors;

/// <summary>Where the silo listens. Ports that are not configured are chosen once, so that everybody who asks is told the same.</summary>
internal sealed class SiloEndpoint
{
    // Below 32768 the system hands out no ports for outgoing connections, which would take one between the choice and its use.
    private const int LowestFreePort = 20_000;
    private const int HighestFreePort = 32_767;
    private const int Attempts = 100;

    // A port is chosen a while before it is used. Silos that start together must not choose the same one: in one process they take turns,
    // and processes that follow each other begin some ports apart.
    private const int PortsPerProcess = 16;
    private static int s_turn = Environment.ProcessId % ((HighestFreePort - LowestFreePort + 1) / PortsPerProcess) * PortsPerProcess;

    public SiloEndpoint(IOptions<SessionActorsOptions> actors, IOptions<SessionSiloOptions> silo)
    {
        // Reading these options checks the silo's as well; unchecked ones could not be told from a broken machine below.
        KeyPrefix = actors.Value.KeyPrefix;
        var options = silo.Value;
        Address = IPAddress.Parse(options.AdvertisedAddress);
        ClusterId = options.ClusterId ?? IdFrom(KeyPrefix);
        ServiceId = options.ServiceId ?? IdFrom(KeyPrefix);
        var loopback = IPAddress.IsLoopback(Address);
        SiloPort = options.SiloPort ?? (loopback ? FreePort(options.GatewayPort) : EndpointOptions.DEFAULT_SILO_PORT);
        GatewayPort = options.GatewayPort ?? (loopback ? FreePort(SiloPort) : EndpointOptions.DEFAULT_GATEWAY_PORT);
    }

    public string KeyPrefix { get; }

    public IPAddress Address { get; }

    public string ClusterId { get; }

    public string ServiceId { get; }

    public int SiloPort { get; }

    public int GatewayPort { get; }

    /// <summary>Makes sure that nobody else has the ports.</summary>
    /// <exception cref="InvalidOperationException">Somebody has, or the address is not this machine's.</exception>
    public void EnsureFree()
    {
        EnsureFree(SiloPort, nameof(SessionSiloOptions.SiloPort));
        EnsureFree(GatewayPort, nameof(SessionSiloOptions.GatewayPort));
    }

    private static string IdFrom(string keyPrefix) => keyPrefix.TrimEnd(':');

    private void EnsureFree(int port, string option)
    {
        if (TryListen(port) is { } error)
        {
            var mend = error.SocketErrorCode == SocketError.AddressNotAvailable
                ? $"{Address} is no address of this machine. Set SessionActors:AdvertisedAddress to one that is."
                : $"Set SessionActors:{option} to another port, stop the program that has this one, or (on loopback) leave the option out "
                    + "for a free port.";
            throw new InvalidOperationException(
                $"The silo cannot listen at {new IPEndPoint(Address, port)}: {error.Message}. {mend}", error);
        }
    }

    private int FreePort(int? except)
    {
        for (var i = 0; i < Attempts; i++)
        {
            var port = LowestFreePort + (int)((uint)Interlocked.Increment(ref s_turn) % (HighestFreePort - LowestFreePort + 1));
            if (port != except && TryListen(port) is null)
            {
                return port;
            }
        }

        throw new InvalidOperationException(
            $"No free port was found on {Address} between {LowestFreePort} and {HighestFreePort} in {Attempts} tries. Set "
            + "SessionActors:SiloPort and SessionActors:GatewayPort.");
    }

    private SocketException? TryListen(int port)
    {
        using var listener = new TcpListener(Address, port);
        try
        {
            listener.Start();
            return null;
        }
        catch (SocketException e)
        {
            return e;
        }
    }
}
