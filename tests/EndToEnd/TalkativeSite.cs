namespace SessionActors;

/// <summary>
/// One server that logs everything down to Trace and listens to all that is measured and traced, with a Redis of its own.
/// </summary>
public sealed class TalkativeSite : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    public AppProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Server = await AppProcess.StartAsync(
            Site.App, [.. Site.MeasuredArguments(Redis), "--Logging:LogLevel:Default=Trace",
            "--Logging:LogLevel:Microsoft.AspNetCore=Trace", "--Observe=true", "--Tickets=true"]);
    }

    public Browser NewVisitor() => new(Server.Address);

    /// <summary>Waits until everything that was logged so far can be read here.</summary>
    public async Task<string> LogAsync()
    {
        var mark = RequestId.New().ToString();
        using var visitor = NewVisitor();
        await visitor.GetAsync($"/plain?mark={mark}");
        await Until.TrueAsync(() => Server.Output.Contains(mark, StringComparison.Ordinal), "the log has the last request");
        return Server.Output;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

[CollectionDefinition(nameof(TalkativeSite))]
public sealed class TalkativeSiteCollection : ICollectionFixture<TalkativeSite>;
