using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// A network of its own for the application servers: a namespace for each, on one bridge. The bridge has an address for the Redis proxies
/// and another that the clients come from, so that each server can be cut off from whom one wants. Names carry the process id, and what a
/// process that died has left is removed.
/// </summary>
internal sealed class Network : IAsyncDisposable
{
    private const string Prefix = "saf";
    private const int FirstServer = 11;

    private readonly string _name;
    private readonly string _subnet;
    private readonly int _servers;

    private Network(string name, string subnet, int servers) => (_name, _subnet, _servers) = (name, subnet, servers);

    /// <summary>Where the proxies listen.</summary>
    public IPAddress Gateway => IPAddress.Parse($"{_subnet}.1");

    /// <summary>Makes the network. Null, with the reason, where this machine does not let us.</summary>
    public static async Task<(Network? Network, string? WhyNot)> TryCreateAsync(int servers)
    {
        try
        {
            await RemoveLeftoversAsync();
            var id = Environment.ProcessId;
            var network = new Network(
                string.Create(CultureInfo.InvariantCulture, $"{Prefix}{id}"),
                string.Create(CultureInfo.InvariantCulture, $"10.{200 + (id / 250 % 50)}.{id % 250}"),
                servers);
            try
            {
                await network.BuildAsync();
                return (network, null);
            }
            catch
            {
                await network.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            return (null, e.Message);
        }
    }

    public string NamespaceOf(int server) => $"{_name}-{server}";

    public IPAddress AddressOf(int server) => IPAddress.Parse($"{_subnet}.{FirstServer + server}");

    /// <summary>Pulls the server's plug, or puts it back: nobody reaches it, it reaches nobody.</summary>
    public Task UnplugAsync(int server, bool plugged) =>
        IpAsync(plugged ? ["link", "set", PortOf(server), "master", _name] : ["link", "set", PortOf(server), "nomaster"]);

    /// <summary>Cuts every server off from every other, or mends it. Redis and the clients go on.</summary>
    public async Task IsolateAllAsync(bool isolated)
    {
        for (var server = 0; server < _servers; server++)
        {
            await RunAsync("bridge", ["link", "set", "dev", PortOf(server), "isolated", isolated ? "on" : "off"]);
        }
    }

    /// <summary>Cuts one server off from the other servers, or mends it.</summary>
    public async Task CutFromPeersAsync(int server, bool cut)
    {
        for (var peer = 0; peer < _servers; peer++)
        {
            if (peer != server)
            {
                await RouteAsync(server, AddressOf(peer), cut);
            }
        }
    }

    /// <summary>Cuts one server off from Redis, or mends it: nothing is refused, packets vanish.</summary>
    public Task CutFromRedisAsync(int server, bool cut) => RouteAsync(server, Gateway, cut);

    /// <summary>The hardware address of the bridge, which the servers send to whatever is for Redis or the clients.</summary>
    public async Task<string> GatewayHardwareAsync()
    {
        var words = (await IpAsync("-o", "link", "show", "dev", _name)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words[Array.IndexOf(words, "link/ether") + 1];
    }

    public async ValueTask DisposeAsync() => await RemoveAsync(_name);

    private async Task BuildAsync()
    {
        await IpAsync("link", "add", _name, "type", "bridge");
        // One that is not set is that of a port, and changes with the ports: then nobody reaches Redis until all have asked again.
        var random = BitConverter.ToString(RandomNumberGenerator.GetBytes(4)).Replace('-', ':');
        await IpAsync("link", "set", _name, "address", $"02:00:{random}");
        // The first address is the one that clients come from.
        await IpAsync("addr", "add", $"{_subnet}.2/24", "dev", _name);
        await IpAsync("addr", "add", $"{_subnet}.1/24", "dev", _name);
        await IpAsync("link", "set", _name, "up");
        for (var server = 0; server < _servers; server++)
        {
            var name = NamespaceOf(server);
            await IpAsync("netns", "add", name);
            await IpAsync("link", "add", PortOf(server), "type", "veth", "peer", "name", "eth0", "netns", name);
            await IpAsync("link", "set", PortOf(server), "master", _name, "up");
            await IpAsync("-n", name, "addr", "add", $"{AddressOf(server)}/24", "dev", "eth0");
            await IpAsync("-n", name, "link", "set", "eth0", "up");
            await IpAsync("-n", name, "link", "set", "lo", "up");
        }
    }

    private Task<string> RouteAsync(int server, IPAddress to, bool cut) =>
        IpAsync("-n", NamespaceOf(server), "route", cut ? "replace" : "del", "blackhole", $"{to}/32");

    private string PortOf(int server) => $"{_name}v{server}";

    private static async Task RemoveLeftoversAsync()
    {
        var links = await IpAsync("-o", "link", "show", "type", "bridge");
        var bridges = links.Split('\n').Select(line => line.Split(": ").ElementAtOrDefault(1));
        var namespaces = (await IpAsync("netns", "list")).Split('\n').Select(line => line.Split('-')[0]);
        foreach (var name in bridges.Concat(namespaces).OfType<string>().Distinct())
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), out var id)
                && !Directory.Exists($"/proc/{id}"))
            {
                await RemoveAsync(name);
            }
        }
    }

    private static async Task RemoveAsync(string name)
    {
        foreach (var line in (await IpAsync("netns", "list")).Split('\n'))
        {
            var found = line.Split(' ')[0];
            if (found.StartsWith(name + '-', StringComparison.Ordinal))
            {
                // What still runs in there was left by a process that died.
                foreach (var id in (await IpAsync("netns", "pids", found)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    await RunAsync("kill", ["-9", id]);
                }

                await IpAsync("netns", "del", found);
            }
        }

        if ((await IpAsync("-o", "link", "show", "type", "bridge")).Contains($": {name}:", StringComparison.Ordinal))
        {
            await IpAsync("link", "del", name);
        }
    }

    private static Task<string> IpAsync(params string[] arguments) => RunAsync("ip", arguments);

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Trim()}");
    }
}
