using System.Diagnostics;
using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>A web server in a process of its own, and a client of it that keeps no cookies.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly string Own = typeof(BenchServer).Assembly.GetName().Name!;

    private static int _prefixes;

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Child _child;
    private readonly HttpClient _client;

    private ServerProcess(Func<int, Child> start)
    {
        var port = Child.FreePort();
        Address = $"http://127.0.0.1:{port}";
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(Address) };
        _child = start(port);
    }

    public string Address { get; }

    /// <summary>The process' own, and that of a silo behind it.</summary>
    public TimeSpan ProcessorTime => _child.ProcessorTime + (Silo?.ProcessorTime ?? TimeSpan.Zero);

    public long ResidentBytes => _child.ResidentBytes;

    /// <summary>How long it took from the start of the process to its first answer.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>Whether it can be asked what it allocates and compiles; Node cannot.</summary>
    private bool TellsEffort { get; init; } = true;

    private ServerProcess? Silo { get; init; }

    public static async Task<ServerProcess> StartAsync(ServerKind kind, RedisProcess redis, params string[] settings)
    {
        // Keys of its own: silos with the same would be one cluster. As long as the default, which the bytes to Redis depend on.
        List<string> all = [$"--SessionActors:KeyPrefix=bench{Interlocked.Increment(ref _prefixes):00}:"];
        if (kind is ServerKind.Floor or ServerKind.StockRedis or ServerKind.ActorRedis or ServerKind.ActorClient)
        {
            all.Add($"--SessionActors:Redis={redis.Address}");
        }

        all.AddRange(settings);
        var silo = kind == ServerKind.ActorClient ? await StartAsync(Own, ["silo", .. all]) : null;
        return await AnsweringAsync(new ServerProcess(port => DotNet(Own, port, ["server", $"{kind}", .. all])) { Silo = silo });
    }

    /// <summary>Starts a program that lies beside this one.</summary>
    public static Task<ServerProcess> StartAsync(string assembly, params string[] arguments) =>
        AnsweringAsync(new ServerProcess(port => DotNet(assembly, port, arguments)));

    /// <summary>Starts the server of <see cref="ServerKind.Express"/>.</summary>
    public static Task<ServerProcess> StartExpressAsync(string script, RedisProcess redis) =>
        AnsweringAsync(new ServerProcess(port => new Child("node", script, $"{port}", redis.Address)) { TellsEffort = false });

    /// <summary>Of the server and of a silo behind it; null where it cannot be told.</summary>
    public async Task<Effort?> EffortAsync()
    {
        if (!TellsEffort)
        {
            return null;
        }

        var own = await _client.GetFromJsonAsync<Effort>("/effort");
        return Silo is null ? own : own + await Silo.EffortAsync();
    }

    /// <summary>Collects all garbage. Bytes of managed memory that are left, and bytes of resident memory then.</summary>
    public async Task<(long Heap, long Resident)> MemoryAsync() =>
        (long.Parse(await GetAsync("/heap"), CultureInfo.InvariantCulture), ResidentBytes);

    public async Task<string> GetAsync(string path, string? cookie = null)
    {
        using var response = await SendAsync(path, cookie);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>A new session's cookie; where the server has no sessions, one of the same size.</summary>
    public async Task<string> NewSessionAsync()
    {
        using var response = await SendAsync("/write", cookie: null);
        return response.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? cookies.Single().Split(';')[0]
            : ".AspNetCore.Session=" + new string('x', 104);
    }

    public void Dispose()
    {
        _client.Dispose();
        _child.Dispose();
        Silo?.Dispose();
    }

    private static Child DotNet(string assembly, int port, IEnumerable<string> arguments) => new(
        "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, assembly + ".dll"), .. arguments,
            $"--urls=http://127.0.0.1:{port}", "--Logging:LogLevel:Default=Warning",
        ]);

    /// <summary>Waits for the first answer.</summary>
    private static async Task<ServerProcess> AnsweringAsync(ServerProcess server)
    {
        try
        {
            while (!await server.AnswersAsync())
            {
                server._child.ThrowIfOver();
                if (Stopwatch.GetElapsedTime(server._started) > StartTimeout)
                {
                    throw new TimeoutException($"{server.Address} did not answer within {StartTimeout.TotalSeconds} s.");
                }

                await Task.Delay(Pause, TimeProvider.System);
            }
        }
        catch
        {
            server.Dispose();
            throw;
        }

        server.StartTime = Stopwatch.GetElapsedTime(server._started);
        return server;
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        var response = await _client.SendAsync(request);
        return response.EnsureSuccessStatusCode();
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await GetAsync("/");
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            return false;
        }
    }
}
