namespace SessionActors;

/// <summary>
/// Two servers over one Redis that know nothing of each other: each is a cluster of its own, so nothing but the store keeps the writers of
/// one session apart.
/// </summary>
public sealed class TwoClusters : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    public AppProcess First { get; private set; } = null!;

    public AppProcess Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        First = await StartClusterAsync("first");
        Second = await StartClusterAsync("second");
    }

    public Task<AppProcess> StartClusterAsync(string id) =>
        AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={Redis.Address}", $"--SessionActors:ClusterId={id}");

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
