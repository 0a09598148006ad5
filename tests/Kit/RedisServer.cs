using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>How a <see cref="RedisServer"/> is set up.</summary>
internal sealed record RedisServerSettings
{
    /// <summary>Whether it keeps an append-only file, so that a restart finds everything again.</summary>
    public bool AppendOnly { get; init; }

    /// <summary>Redis' <c>appendfsync</c>, such as <c>always</c>.</summary>
    public string? AppendFsync { get; init; }

    /// <summary>Redis' <c>maxmemory</c>, such as <c>4mb</c>.</summary>
    public string? MaxMemory { get; init; }

    /// <summary>Redis' <c>maxmemory-policy</c>.</summary>
    public string? EvictionPolicy { get; init; }

    public string? Password { get; init; }

    /// <summary>Whether it is to be a node of a <see cref="RedisCluster"/>.</summary>
    public bool IsClusterNode { get; init; }

    /// <summary>Whose replica it is to be.</summary>
    public RedisServer? Primary { get; init; }

    /// <summary>What it speaks TLS with, and nothing else; not set: no TLS.</summary>
    public TestCertificate? Certificate { get; init; }

    /// <summary>What is in the file that it is started with as a Sentinel; not set: it is no Sentinel.</summary>
    public string? Sentinel { get; init; }
}

/// <summary>
/// A real redis-server on a free port of 127.0.0.1 with a folder of its own. Killed, stopped, paused and started again at will; port and
/// folder stay.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    // A port is chosen a while before it is used, so those who start together take turns. Silos choose above these ports.
    private const int FirstPort = 10_000;
    private const int Ports = 10_000;
    private static int s_turn = RandomNumberGenerator.GetInt32(Ports);

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    private readonly RedisServerSettings _settings;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("session-actors-redis-");
    private Process? _process;
    private Task<ConnectionMultiplexer>? _admin;

    private RedisServer(RedisServerSettings settings) => _settings = settings;

    public int Port { get; private set; }

    /// <summary>Where it talks with the other nodes of its <see cref="RedisCluster"/>; 0 where it has none.</summary>
    public int BusPort { get; private set; }

    /// <summary>Host and port.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>What StackExchange.Redis connects with, the password included.</summary>
    public string ConnectionString => Address
        + (_settings.Password is null ? "" : $",password={_settings.Password}") + (_settings.Certificate is null ? "" : ",ssl=true");

    /// <summary>Starts a server and waits until it takes commands.</summary>
    public static async Task<RedisServer> StartAsync(RedisServerSettings? settings = null)
    {
        var server = new RedisServer(settings ?? new RedisServerSettings());
        for (var tries = 1; ; tries++)
        {
            server.Port = FreePort();
            server.BusPort = server._settings.IsClusterNode ? FreePort() : 0;
            try
            {
                await server.LaunchAsync();
                return server;
            }
            catch (IOException) when (tries < 5)
            {
                // Somebody took the port in between.
                server.Kill();
            }
        }
    }

    /// <summary>A port that nobody listens on, below those that the system gives to outgoing connections.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var port = FirstPort + (int)((uint)Interlocked.Increment(ref s_turn) % Ports);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                continue;
            }
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>An orderly stop: Redis writes what it has to write and closes its connections.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("TERM");
        await _process!.WaitForExitAsync().WaitAsync(StopTimeout, TimeProvider.System);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Starts again on the same port and folder, after a stop or a kill (which it does if need be).</summary>
    public Task RestartAsync()
    {
        Kill();
        return LaunchAsync();
    }

    /// <summary>SIGSTOP: connections stay open, nothing is answered.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    /// <summary>A connection of the test's own, for looking and for administration. One, whoever comes first at the same time.</summary>
    public async Task<IConnectionMultiplexer> AdminAsync()
    {
        lock (_folder)
        {
            _admin ??= ConnectAsync();
        }

        return await _admin;
    }

    public async Task<IDatabase> DatabaseAsync() => (await AdminAsync()).GetDatabase();

    /// <summary>What Redis was asked since it started.</summary>
    public async Task<RedisUsage> UsageAsync()
    {
        var info = await (await AdminAsync()).GetServer(Address).InfoAsync("all");
        var lines = info.SelectMany(section => section).ToLookup(line => line.Key, line => line.Value);
        return new RedisUsage(
            info.Single(section => section.Key.Equals("commandstats", StringComparison.OrdinalIgnoreCase))
                .ToImmutableDictionary(line => line.Key["cmdstat_".Length..], line => Number(line.Value.Split('=', ',')[1])),
            Number(lines["total_net_input_bytes"].Single()));

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await (await _admin).DisposeAsync();
        }

        Kill();
        _folder.Delete(recursive: true);
    }

    private Task<ConnectionMultiplexer> ConnectAsync()
    {
        var options = ConfigurationOptions.Parse(ConnectionString);
        options.AllowAdmin = true;
        options.AbortOnConnectFail = false;
        if (_settings.Certificate is { } certificate)
        {
            options.TrustIssuer(certificate.Authority);
        }

        if (_settings.Sentinel is not null)
        {
            options.CommandMap = CommandMap.Sentinel;
        }

        return ConnectionMultiplexer.ConnectAsync(options);
    }

    private async Task LaunchAsync()
    {
        var start = new ProcessStartInfo("redis-server", Arguments()) { RedirectStandardOutput = true, RedirectStandardError = true };
        var log = new List<string>();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Exited += (_, _) => ready.TrySetException(new IOException($"redis-server on port {Port} ended: {Log()}"));
        try
        {
            process.Start();
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException(
                "redis-server cannot be started. These tests run against a real one: install it (Debian, Ubuntu: apt-get install "
                + "redis-server) and see that it is on the PATH.", missing);
        }

        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(StartTimeout, TimeProvider.System);

        void Note(string? line)
        {
            lock (log)
            {
                log.Add(line ?? "");
            }

            var isReady = _settings.Sentinel is null ? "Ready to accept connections" : "Sentinel ID is";
            if (line?.Contains(isReady, StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        }

        string Log()
        {
            lock (log)
            {
                return string.Join('\n', log);
            }
        }
    }

    private List<string> Arguments()
    {
        if (_settings.Sentinel is { } sentinel)
        {
            // It writes into the file what it finds out.
            var file = Path.Combine(_folder.FullName, "sentinel.conf");
            File.WriteAllText(file, $"port {Port}\nbind 127.0.0.1\ndir {_folder.FullName}\n{sentinel}");
            return [file, "--sentinel"];
        }

        List<string> arguments =
        [
            _settings.Certificate is null ? "--port" : "--tls-port", $"{Port}",
            "--bind", "127.0.0.1", "--dir", _folder.FullName, "--save", "", "--appendonly",
            _settings.AppendOnly ? "yes" : "no",
        ];
        foreach (var (name, value) in new[]
        {
            ("--appendfsync", _settings.AppendFsync), ("--maxmemory", _settings.MaxMemory),
            ("--maxmemory-policy", _settings.EvictionPolicy), ("--requirepass", _settings.Password),
        })
        {
            arguments.AddRange(value is null ? [] : [name, value]);
        }

        if (_settings.Certificate is { } certificate)
        {
            arguments.AddRange(
                ["--port", "0", "--tls-cert-file", certificate.Server, "--tls-key-file", certificate.Key, "--tls-auth-clients", "no"]);
        }

        if (_settings.Primary is { } primary)
        {
            arguments.AddRange(["--replicaof", $"127.0.0.1 {primary.Port}"]);
        }

        if (!_settings.IsClusterNode)
        {
            // Redis would wait 5 s for more replicas before it gives the first one anything. (The other nodes of a cluster need that time
            // to hear of it.)
            arguments.AddRange(["--repl-diskless-sync-delay", "0"]);
        }
        else
        {
            // Redis' own choice for the nodes' talk is 10,000 above its port, where silos choose theirs.
            arguments.AddRange(["--cluster-enabled", "yes", "--cluster-port", $"{BusPort}"]);
        }

        return arguments;
    }

    private async Task SignalAsync(string signal)
    {
        var target = _process ?? throw new InvalidOperationException("The redis-server does not run.");
        using var kill = Process.Start("kill", [$"-{signal}", $"{target.Id}"]);
        await kill.WaitForExitAsync();
    }
}

/// <summary>What a Redis was asked: calls of each command (<c>evalsha</c>, <c>script|load</c>) and bytes received.</summary>
internal sealed record RedisUsage(ImmutableDictionary<string, long> Calls, long InputBytes)
{
    public long CallsOf(string command) => Calls.GetValueOrDefault(command);

    /// <summary>What came after <paramref name="earlier"/>. The commands that measured are in it: two INFO.</summary>
    public RedisUsage Since(RedisUsage earlier) => new(
        Calls.ToImmutableDictionary(call => call.Key, call => call.Value - earlier.CallsOf(call.Key)).RemoveRange(
            Calls.Where(call => call.Value == earlier.CallsOf(call.Key)).Select(call => call.Key)),
        InputBytes - earlier.InputBytes);
}
