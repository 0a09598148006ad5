namespace SessionActors.TestApp;

/// <summary>Writes the events of sessions to a file, a line each; or begins to, and never ends.</summary>
internal sealed class EventFile(IConfiguration configuration) : ISessionEvents
{
    private static readonly Lock Gate = new();

    private readonly string _path = configuration["Events"]!;

    public Task OnStartedAsync(SessionEvent started, CancellationToken cancellationToken) => WriteAsync(started, cancellationToken);

    public Task OnRotatedAsync(SessionEvent rotated, CancellationToken cancellationToken) => WriteAsync(rotated, cancellationToken);

    public Task OnEndedAsync(SessionEvent ended, CancellationToken cancellationToken) => WriteAsync(ended, cancellationToken);

    private async Task WriteAsync(SessionEvent happened, CancellationToken cancellationToken)
    {
        var hangs = configuration.GetValue<bool>("EventsHang");
        lock (Gate)
        {
            File.AppendAllText(_path, $"{(hangs ? "begun " : "")}{happened.Kind} {happened.EndReason} {happened.GetString("cart")}\n");
        }

        if (hangs)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }
}
