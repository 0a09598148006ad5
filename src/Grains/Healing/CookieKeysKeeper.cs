namespace SessionActors;

/// <summary>
/// Keeps the cookie keys through a loss of the store's data, be it by <c>FLUSHALL</c>, and of the silo that had them in its memory: each
/// silo remembers them, and offers them to their grain again and again. Without the keys all cookies are worth nothing, those of sessions
/// that began after the loss too.
/// </summary>
internal sealed class CookieKeysKeeper(IGrainFactory grains, IServiceProvider services, TimeProvider time)
    : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task _keeping = Task.CompletedTask;
    private volatile CookieKeyRing _known = new();

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(CookieKeysKeeper),
        ServiceLifecycleStage.Active,
        cancellation =>
        {
            // What the embedded store has it keeps.
            _keeping = services.UsesRedis() ? Task.Run(KeepAgainAndAgainAsync, cancellation) : _keeping;
            return Task.CompletedTask;
        },
        async _ =>
        {
            await _stopping.CancelAsync();
            await Task.WhenAny(_keeping);
        });

    /// <summary>Has the store's keys completed by those that are remembered, and remembers them all.</summary>
    public async Task KeepAsync() => _known = await grains.GetGrain<IKeptCookieKeys>(0).KeepAsync(_known);

    private async Task KeepAgainAndAgainAsync()
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                // A store or a silo that is out of reach is told of by others.
                await Task.WhenAny(KeepAsync().WaitAsync(_stopping.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }
}
