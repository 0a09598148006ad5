using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace SessionActors.RaceLab;

/// <summary>Commands, and bytes in both directions.</summary>
internal readonly record struct Usage(long Commands, long Bytes)
{
    public static Usage operator -(Usage later, Usage earlier) => new(later.Commands - earlier.Commands, later.Bytes - earlier.Bytes);
}

/// <summary>A redis-server of the lab's own, on a free port, which keeps nothing on disk.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private const string Program = "redis-server";
    private const int MostTries = 5;

    // Redis does not watch its standard input; the shell does, and stays when the terminal is closed, until the lab is gone too.
    private const string WithTheLab = """trap '' HUP INT TERM; "$@" & exec >&- 2>&-; read -r _; kill $!; wait""";

    private readonly Child _child;
    private readonly ConnectionMultiplexer _connection;
    private long _own;

    private RedisProcess(Child child, string address, ConnectionMultiplexer connection) =>
        (_child, Address, _connection) = (child, address, connection);

    public const string Missing = $"{Program} is not on the PATH, and the lab needs two of its own. Install it and start the lab again. "
        + "Debian, Ubuntu: apt-get install redis-server. macOS: brew install redis. Windows: in WSL.";

    public static bool IsInstalled => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, Program)));

    public string Address { get; }

    public static async Task<RedisProcess> StartAsync(CancellationToken stop)
    {
        for (var tries = 1; ; tries++)
        {
            var port = FreePort();
            string[] arguments = ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", Path.GetTempPath()];
            try
            {
                var child = await Child.StartAsync(
                    "Ready to accept connections", "sh", ["-c", WithTheLab, "sh", Program, .. arguments], stop);
                var address = $"127.0.0.1:{port}";
                return new RedisProcess(child, address, await ConnectionMultiplexer.ConnectAsync($"{address},allowAdmin=true"));
            }
            catch (IOException) when (tries < MostTries)
            {
                // Somebody took the port in between.
            }
        }
    }

    /// <summary>
    /// What it was asked since it started, without what this asks itself. A script is one command, whatever it calls; Redis counts those
    /// calls as well. ASP.NET Core's session has no scripts.
    /// </summary>
    public async Task<Usage> UsageAsync()
    {
        var text = (await _connection.GetServer(Address).InfoRawAsync("all"))!;
        var info = text.Split("\r\n").Where(line => line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':', 2)).ToLookup(line => line[0], line => line[1]);
        var calls = info.Where(line => line.Key.StartsWith("cmdstat_", StringComparison.Ordinal) && line.Key != "cmdstat_info")
            .ToDictionary(line => line.Key["cmdstat_".Length..], line => Number(line.Single().Split('=', ',')[1]));
        var scripts = calls.GetValueOrDefault("evalsha") + calls.GetValueOrDefault("eval");
        var bytes = Number(info["total_net_input_bytes"].Single()) + Number(info["total_net_output_bytes"].Single());
        // This answer is sent, and so counted, only after it was made.
        return new Usage(scripts > 0 ? scripts : calls.Values.Sum(), bytes - (Interlocked.Add(ref _own, text.Length) - text.Length));
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _child.DisposeAsync();
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
