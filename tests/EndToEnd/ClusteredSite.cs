using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// Three web servers, each a process with a silo of its own, in one Orleans cluster over a Redis Cluster of three masters: what an
/// application grows to.
/// </summary>
public sealed class ClusteredSite : IAsyncLifetime
{
    private const int Size = 3;

    internal RedisCluster Redis { get; private set; } = null!;

    public ImmutableArray<AppProcess> Servers { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisCluster.StartAsync();
        // One after the other: the later ones then find the cluster instead of founding another.
        for (var i = 0; i < Size; i++)
        {
            Servers = Servers.Add(await StartServerAsync());
        }
    }

    /// <summary>The next server on, after the last one the first.</summary>
    public AppProcess Server(int number) => Servers[number % Size];

    /// <summary>A new visitor at a server.</summary>
    public Browser NewVisitor(int server = 0) => new(Server(server).Address);

    /// <summary>The same visitor at all servers. Has to be disposed of.</summary>
    public Browser[] Everywhere(Browser visitor) => [.. Servers.Select(server => visitor.At(server.Address))];

    /// <summary>Stops a server and starts it again, at another address.</summary>
    public async Task RestartAsync(int number)
    {
        await Servers[number].StopAsync();
        await Servers[number].DisposeAsync();
        Servers = Servers.SetItem(number, await StartServerAsync());
    }

    private Task<AppProcess> StartServerAsync() =>
        AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={Redis.ConnectionString}");

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }
}
