namespace SessionActors.LoadBench;

/// <summary>Servers that are up together on one Redis, and files with the cookies of their sessions.</summary>
internal sealed class Peers(RedisProcess redis) : IDisposable
{
    private readonly Dictionary<ServerKind, ServerProcess> _servers = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("session-actors-bench-");

    public ServerProcess this[ServerKind kind] => _servers[kind];

    public static async Task<Peers> StartAsync(RedisProcess redis, IEnumerable<ServerKind> kinds)
    {
        var peers = new Peers(redis);
        try
        {
            foreach (var kind in kinds)
            {
                peers.Add(kind, await ServerProcess.StartAsync(kind, redis));
            }
        }
        catch
        {
            peers.Dispose();
            throw;
        }

        return peers;
    }

    public void Add(ServerKind kind, ServerProcess server) => _servers.Add(kind, server);

    /// <summary>Starts sessions at a server, fills each by a request unless it is to stay small, and keeps their cookies.</summary>
    public async Task FillAsync(ServerKind kind, string name, int sessions, string? filling = null)
    {
        var server = _servers[kind];
        await KeepAsync(kind, name, await Task.WhenAll(Enumerable.Range(0, sessions).Select(async _ =>
        {
            var cookie = await server.NewSessionAsync();
            if (filling is not null)
            {
                await server.GetAsync(filling, cookie);
            }

            return cookie;
        })));
    }

    /// <summary>Keeps the cookies of a server's sessions under a name.</summary>
    public Task KeepAsync(ServerKind kind, string name, IEnumerable<string> cookies) =>
        File.WriteAllLinesAsync(FileOf(kind, name), cookies);

    /// <summary>One run of load with the cookies that are kept under a name.</summary>
    public Task<Load> LoadAsync(
        ServerKind kind, string path, string name, int connections, int seconds, Access access = Access.InTurn) => Load.MeasureAsync(
            [_servers[kind]], [redis],
            async () => [await Wrk.RunAsync(_servers[kind].Address + path, FileOf(kind, name), connections, seconds, access)]);

    public void Dispose()
    {
        foreach (var server in _servers.Values)
        {
            server.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private string FileOf(ServerKind kind, string name) => Path.Combine(_folder.FullName, $"{kind}-{name}");
}
