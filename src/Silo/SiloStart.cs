namespace SessionActors;

/// <summary>Looks at the silo's ports before it starts, and says where it is when it has.</summary>
internal sealed class SiloStart(SiloEndpoint endpoint, IServiceProvider services, ILogger<SiloStart> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        endpoint.EnsureFree();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // An application that brings its own store checks it itself.
        var store = services.GetService<StoreCheck>()?.Store ?? "the application's own store";
        SiloLog.Started(
            logger, store, endpoint.ClusterId, endpoint.ServiceId, endpoint.Address.ToString(), endpoint.SiloPort, endpoint.GatewayPort);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
