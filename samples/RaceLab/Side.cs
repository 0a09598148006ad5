using System.Net;
using System.Net.Sockets;

namespace SessionActors.RaceLab;

/// <summary>One of the shop's servers: a process that may be killed and started again.</summary>
internal sealed class Server(string kind, string redis) : IAsyncDisposable
{
    private Child? _child;

    public Uri? Address { get; private set; }

    public int Id { get; private set; }

    public bool Runs { get; private set; }

    public async Task StartAsync(CancellationToken stop)
    {
        await DisposeAsync();
        var own = Environment.ProcessPath!;
        // Where this program was started by dotnet, its name comes first.
        string[] program = Path.GetFileNameWithoutExtension(own) == "dotnet" ? [typeof(Server).Assembly.Location] : [];
        string[] arguments =
        [
            "shop", kind, "--urls=http://127.0.0.1:0", $"--SessionActors:Redis={redis}",
            "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information",
        ];
        _child = await Child.StartAsync("Now listening on: ", own, [.. program, .. arguments], stop);
        (Address, Id, Runs) = (new Uri(_child.Said), _child.Id, true);
    }

    public void Kill()
    {
        _child!.Kill();
        Runs = false;
    }

    public ValueTask DisposeAsync() => _child?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>The shop on one kind of session: its Redis, its servers, and what was answered.</summary>
internal sealed class Side(RedisProcess redis, string kind, int servers) : IAsyncDisposable
{
    private long _answers;
    private int _underWay;

    public RedisProcess Redis => redis;

    public IReadOnlyList<Server> Servers { get; } = [.. Enumerable.Range(0, servers).Select(_ => new Server(kind, redis.Address))];

    public static async Task<Side> StartAsync(string kind, int servers, CancellationToken stop)
    {
        var side = new Side(await RedisProcess.StartAsync(stop), kind, servers);
        try
        {
            await Task.WhenAll(side.Servers.Select(server => server.StartAsync(stop)));
            return side;
        }
        catch
        {
            await side.DisposeAsync();
            throw;
        }
    }

    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>Counts a request, while it is under way and when it was answered.</summary>
    public async Task<T> CountAsync<T>(Func<Task<T>> request)
    {
        Interlocked.Increment(ref _underWay);
        try
        {
            var answer = await request();
            Interlocked.Increment(ref _answers);
            return answer;
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    public async Task<Total> TotalAsync() => new(Interlocked.Read(ref _answers), await redis.UsageAsync());

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        await redis.DisposeAsync();
    }
}

/// <summary>A visitor of the shop, with a cookie jar. Asks the next server where one does not answer, as a load balancer does.</summary>
internal sealed class Visitor : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Side _side;
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _client;

    public Visitor(Side side)
    {
        _side = side;
        // An upload begins when the shop asks for it, and not after a while.
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = _cookies, Expect100ContinueTimeout = Patience });
    }

    /// <summary>The same cookies as they are now, in a jar of their own: another browser, or somebody who has copied them.</summary>
    public Visitor Copy()
    {
        var copy = new Visitor(_side);
        copy._cookies.Add(_cookies.GetAllCookies());
        return copy;
    }

    /// <summary>Sends until it is answered with success: first to one server, then in turn.</summary>
    /// <returns>The server that answered, and how many tries were in vain.</returns>
    public async Task<(int Server, int Vain)> PostAsync(string path, int first = 0, Upload? upload = null)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, first, upload);
        return (answer.Server, answer.Vain);
    }

    public async Task<T?> GetAsync<T>(string path, int first = 0)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, first);
        return await answer.Response.Content.ReadFromJsonAsync<T>();
    }

    public void Dispose() => _client.Dispose();

    private Task<Answer> SendAsync(HttpMethod method, string path, int first, Upload? upload = null) => _side.CountAsync(async () =>
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var vain = 0; ; vain++)
        {
            var server = (first + vain) % _side.Servers.Count;
            var what = $"{method} {path} at {_side.Servers[server].Address}";
            try
            {
                using var request = new HttpRequestMessage(method, new Uri(_side.Servers[server].Address!, path)) { Content = upload };
                request.Headers.ExpectContinue = upload is not null;
                var response = await _client.SendAsync(request);
                if (response.IsSuccessStatusCode)
                {
                    return new Answer(response, server, vain);
                }

                what += $" answered {(int)response.StatusCode}";
                response.Dispose();
            }
            catch (Exception e) when (e is HttpRequestException or SocketException)
            {
                what += $" failed: {e.Message}";
            }

            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"Tried for {Patience.TotalSeconds} s in vain. The last try: {what}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    });

    private readonly record struct Answer(HttpResponseMessage Response, int Server, int Vain) : IDisposable
    {
        public void Dispose() => Response.Dispose();
    }
}

/// <summary>A body that begins when the shop reads it, and ends when it is let go.</summary>
internal sealed class Upload : HttpContent
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Begun => _begun.Task;

    public void End() => _end.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        _begun.TrySetResult();
        await _end.Task;
        await stream.WriteAsync("photo"u8.ToArray());
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
