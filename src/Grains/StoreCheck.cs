using Microsoft.Extensions.Hosting;

namespace SessionActors;

/// <summary>Finds out at start-up whether the store can be trusted with sessions.</summary>
internal abstract class StoreCheck
{
    /// <summary>The store for people: its kind and where it is, without a password.</summary>
    public abstract string Store { get; }

    /// <summary>Returns when the store is fit.</summary>
    /// <exception cref="InvalidOperationException">It is not; the message says why and what to do.</exception>
    public abstract Task CheckAsync(CancellationToken cancellation);
}

/// <summary>
/// Checks the store before any hosted service starts, Orleans' silo among them: what the silo would say about a store out of reach names
/// neither the option nor the mend.
/// </summary>
internal sealed class StoreCheckAtStart(StoreCheck check) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => check.CheckAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
