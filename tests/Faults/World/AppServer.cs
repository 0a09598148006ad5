using System.Globalization;
using System.Net;

namespace SessionActors;

/// <summary>One web server with its silo: a process that comes and goes, at one address, with a proxy of its own to Redis.</summary>
internal sealed class AppServer : IAsyncDisposable
{
    private const string App = "SessionActors.TestApp";
    private const int Port = 8080;
    private const int MostWords = 8000;

    private readonly Network? _network;
    private readonly string[] _arguments;
    private AppProcess? _process;
    private bool _isPaused;

    /// <param name="number">Which one it is.</param>
    /// <param name="network">The network that it has a namespace of; null: loopback.</param>
    /// <param name="redisPort">Where Redis is.</param>
    /// <param name="cluster">The cluster that it belongs to where there are several; then Redis keeps the guard between them too.</param>
    /// <param name="settings">What else decides how its sessions are kept.</param>
    public AppServer(int number, Network? network, Func<int> redisPort, int? cluster, CampaignSettings settings)
    {
        (Number, _network) = (number, network);
        Redis = new FaultProxy(network?.Gateway ?? IPAddress.Loopback, redisPort);
        _arguments =
        [
            // Its last words are to say what was wrong, and not which requests it had.
            $"--SessionActors:Redis={Redis.Address}", "--Logging:LogLevel:SessionActors=Warning",
            "--Logging:LogLevel:Microsoft.AspNetCore=Warning", "--Logging:LogLevel:Orleans=Warning",
            .. settings.IsWriteBehind ? ["--SessionActors:FlushMode=WriteBehind"] : (string[])[],
            .. settings.HasDistributedDirectory ? ["--DistributedDirectory=true"] : (string[])[],
            .. cluster is null
                ? (string[])[]
                :
                [
                    $"--SessionActors:ClusterId=cluster{cluster}", "--SessionActors:ServiceId=rig",
                    $"--SessionActors:CrossCluster:Redlock:0={Redis.Address}",
                ],
            .. network is null
                ? (string[])[]
                : [$"--SessionActors:AdvertisedAddress={network.AddressOf(number)}", "--SessionActors:AllowUnprotectedNetwork=true"],
        ];
    }

    public int Number { get; }

    /// <summary>Whether it only runs while there are to be more than usual.</summary>
    public bool IsSpare { get; init; }

    /// <summary>The only way to Redis that it has.</summary>
    public FaultProxy Redis { get; }

    /// <summary>Where the clients find it. Null while it is down.</summary>
    public HttpLine? Http { get; private set; }

    /// <summary>How many requests are on their way to it.</summary>
    public int Load;

    /// <summary>How many requests it did not answer with success, but for leases that were lost with their silo.</summary>
    public int Failed;

    /// <summary>How often it ended by itself: it learned that it had been taken for dead.</summary>
    public int Desertions;

    /// <summary>Until when the clients go to others, because it did not answer.</summary>
    public TimeSpan AvoidUntil { get; set; }

    /// <summary>Whether a balancer sends it requests.</summary>
    public bool IsInRotation { get; set; } = true;

    /// <summary>Whether its process runs, or would if it were not paused.</summary>
    public bool IsRunning => _process is { HasExited: false };

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException($"Server {Number} is down.");

    /// <summary>The end of what its process has printed.</summary>
    public string LastWords => _process?.Output is { } output ? output[^Math.Min(output.Length, MostWords)..] : "";

    /// <summary>What its process uses, as the system counts it.</summary>
    public ServerUsage Usage
    {
        get
        {
            var pages = File.ReadAllText($"/proc/{ProcessId}/statm").Split(' ')[1];
            var memory = long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
            return new ServerUsage(Number, memory, Directory.GetFiles($"/proc/{ProcessId}/fd").Length);
        }
    }

    public async Task StartAsync()
    {
        if (_network is null)
        {
            _process = await AppProcess.StartAsync(App, _arguments);
            Http = new HttpLine(new IPEndPoint(IPAddress.Loopback, _process.Address.Port));
        }
        else
        {
            var address = _network.AddressOf(Number);
            _process = await AppProcess.StartInAsync(
                _network.NamespaceOf(Number), new UriBuilder("http", $"{address}", Port).Uri, App, _arguments);
            Http = new HttpLine(new IPEndPoint(address, Port));
        }

        AvoidUntil = default;
        IsInRotation = true;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process?.Kill();
        Gone();
    }

    /// <summary>An orderly stop: the balancer sends nothing more, and what runs is finished.</summary>
    public async Task StopAsync()
    {
        IsInRotation = false;
        await (_process?.StopAsync() ?? Task.CompletedTask);
        Gone();
    }

    public void Pause()
    {
        _isPaused = true;
        _process!.Pause();
    }

    public void Resume()
    {
        if (_isPaused)
        {
            _isPaused = false;
            _process!.Resume();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }

    private void Gone()
    {
        Http?.Dispose();
        Http = null;
        _isPaused = false;
    }
}
