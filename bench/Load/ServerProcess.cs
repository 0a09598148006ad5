using System.Diagnostics;

namespace SessionActors.LoadBench;

/// <summary>A web server in a process of its own, and a client of it that keeps no cookies.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly Child _child;
    private readonly HttpClient _client;

    private ServerProcess(string[] command)
    {
        Address = $"http://127.0.0.1:{Child.FreePort()}";
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(Address) };
        _child = new Child("dotnet", [.. command, $"--urls={Address}", "--Logging:LogLevel:Default=Warning"]);
    }

    public string Address { get; }

    public TimeSpan ProcessorTime => _child.ProcessorTime;

    public long ResidentBytes => _child.ResidentBytes;

    /// <summary>How long it took from the start of the process to its first answer.</summary>
    public TimeSpan StartTime { get; private set; }

    public static Task<ServerProcess> StartAsync(ServerKind kind, RedisProcess redis, params string[] settings)
    {
        string[] store = kind is ServerKind.StockRedis or ServerKind.ActorRedis ? [$"--SessionActors:Redis={redis.Address}"] : [];
        return StartAsync(typeof(BenchServer).Assembly.GetName().Name!, ["server", $"{kind}", .. store, .. settings]);
    }

    /// <summary>Starts a program that lies beside this one, and waits for its first answer.</summary>
    public static async Task<ServerProcess> StartAsync(string assembly, params string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        var server = new ServerProcess([Path.Combine(AppContext.BaseDirectory, assembly + ".dll"), .. arguments]);
        while (!await server.AnswersAsync())
        {
            server._child.ThrowIfOver();
            if (Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                throw new TimeoutException($"{assembly} did not answer within {StartTimeout.TotalSeconds} s.");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }

        server.StartTime = Stopwatch.GetElapsedTime(started);
        return server;
    }

    public Task<Effort> EffortAsync() => _client.GetFromJsonAsync<Effort>("/effort");

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
