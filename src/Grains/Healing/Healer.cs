namespace SessionActors;

/// <summary>
/// Brings a store that has lost data up to date, as soon as that is noticed: ends again what this silo has ended lately, then has every
/// session in its memory written back, or compared with the store where that may not be.
/// </summary>
internal sealed class Healer(SessionSilo silo, ISessionStorage storage, CookieKeysKeeper keys) : ILifecycleParticipant<ISiloLifecycle>
{
    // So many steps at a time keep a store busy that has just come up, and leave room for callers.
    private const int AtOnce = 64;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(Healer),
        ServiceLifecycleStage.ApplicationServices,
        _ =>
        {
            silo.Healing.Store.OnChange = () =>
            {
                var replaying = Task.Run(ReplayAsync, CancellationToken.None);
                silo.Healing.Replayed = replaying;
                Task.Run(() => HealAsync(replaying), CancellationToken.None).Ignore();
            };
            return Task.CompletedTask;
        });

    /// <summary>Ends again what this silo has ended lately; how many the store had forgotten.</summary>
    private async Task<int> ReplayAsync()
    {
        var replayed = 0;
        using var room = new SemaphoreSlim(AtOnce);
        await Task.WhenAll(silo.Healing.Marks.ToList().Select(async known =>
        {
            await room.WaitAsync();
            // Where nobody answers, those that are in memory still know.
            await Task.WhenAny(silo.Users.Of(known.UserId).SetAgainAsync(known.Mark).WaitAsync(SessionRequest.DefaultPatience, silo.Time));
            room.Release();
        }));
        await Task.WhenAll(silo.Healing.Ends.ToList().Select(async end =>
        {
            await room.WaitAsync();
            try
            {
                var reply = await StoreRetry.UntilAnsweredAsync(
                    TimeProvider.System,
                    SessionRequest.DefaultPatience,
                    () => storage.DestroyAsync(end.Handle, end.Reason, silo.Healing.Tombstone));
                if (reply.Outcome == StoreOutcome.Written)
                {
                    Interlocked.Increment(ref replayed);
                    silo.Metrics.OnReplayed();
                    // Whoever has had it in between from the new store.
                    await silo.WarnAsync(storage, end.Handle, reply.TakenFrom, SessionRequest.DefaultPatience, claimant: null);
                }
            }
            finally
            {
                room.Release();
            }
        }));
        return replayed;
    }

    private async Task HealAsync(Task<int> replaying)
    {
        var replayed = await replaying;
        await Task.WhenAny(keys.KeepAsync());
        var (healed, others) = (0, 0);
        using var room = new SemaphoreSlim(AtOnce);
        await silo.Live.WithAllAsync(async activation =>
        {
            await room.WaitAsync();
            try
            {
                _ = await activation.HealAsync() ? Interlocked.Increment(ref healed) : Interlocked.Increment(ref others);
            }
            catch (SessionException)
            {
                // It has told its callers.
                Interlocked.Increment(ref others);
            }
            finally
            {
                room.Release();
            }
        });
        GrainLog.StoreChanged(silo.Logger, healed, others, replayed);
    }
}
