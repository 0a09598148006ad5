using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Has everything acknowledged stored when the host starts to stop, before anything else of it does: what Orleans calls at the end of an
/// activation may be too late, or not come. From then on every change is written through.
/// </summary>
internal sealed class StoreAtStop(SessionSilo silo, IOptions<HostOptions> host, ILogger<StoreAtStop> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        silo.IsStopping = true;
        if (silo.Metrics.Acknowledged == 0)
        {
            return;
        }

        try
        {
            // The rest of the time is for the silo, which has sessions to hand over.
            await silo.Live.WithAllAsync(activation => activation.StoredAsync())
                .WaitAsync(host.Value.ShutdownTimeout / 2, TimeProvider.System, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or SessionException)
        {
            GrainLog.StoppingUnstored(logger, silo.Metrics.Acknowledged, e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (silo.Metrics.Acknowledged is > 0 and var lost)
        {
            silo.Metrics.OnLost(lost, "stopped");
            GrainLog.LostAtStop(logger, lost);
        }

        return Task.CompletedTask;
    }
}
