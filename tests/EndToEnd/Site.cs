namespace SessionActors;

/// <summary>
/// What most tests here run against: one real Redis and two web servers, each a process with a silo of its own, in one cluster. Tests share
/// it and keep apart by their sessions.
/// </summary>
public sealed class Site : IAsyncLifetime
{
    public const string App = "SessionActors.TestApp";

    internal RedisServer Redis { get; private set; } = null!;

    public AppProcess First { get; private set; } = null!;

    public AppProcess Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        // One after the other: the second then finds the cluster instead of founding another.
        First = await AppProcess.StartAsync(App, $"--SessionActors:Redis={Redis.Address}");
        Second = await AppProcess.StartAsync(App, $"--SessionActors:Redis={Redis.Address}");
    }

    /// <summary>A new visitor, at the first server.</summary>
    public Browser NewVisitor() => new(First.Address);

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

[CollectionDefinition(nameof(Site))]
public sealed class SiteCollection : ICollectionFixture<Site>;
