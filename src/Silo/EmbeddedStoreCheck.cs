using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Opens the embedded store; that it opens is what there is to check.</summary>
internal sealed class EmbeddedStoreCheck(
    SqliteDatabase database, IOptions<SessionSiloOptions> options, IOptions<HostOptions> host, IHostEnvironment environment,
    TimeProvider time, ILogger<EmbeddedStoreCheck> logger) : StoreCheck
{
    // A process that is shutting down lets go of its file well within this; then nothing needs to be said.
    private static readonly TimeSpan SilentWait = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override string Store => options.Value.DataFolder == SqliteDatabase.InMemory
        ? "embedded store in memory"
        : $"embedded store {Path.GetFullPath(options.Value.DataFolder, environment.ContentRootPath)}";

    /// <inheritdoc/>
    public override async Task CheckAsync(CancellationToken cancellation)
    {
        var opening = database.OpenAsync(cancellation);
        if (await Task.WhenAny(opening, Task.Delay(SilentWait, time, cancellation)) != opening)
        {
            SiloLog.Waiting(logger, Store, host.Value.ShutdownTimeout);
        }

        await opening;
    }
}
