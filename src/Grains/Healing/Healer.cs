using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>
/// Brings a store that has lost data up to date, as soon as that is noticed: ends again what this silo has ended lately, then has every
/// session in its memory written back, or compared with the store where that may not be.
/// </summary>
internal sealed class Healer(SessionSilo silo, ISessionStorage storage, CookieKeysKeeper keys) : ILifecycleParticipant<ISiloLifecycle>
{
    // While the store answers that it takes no writes yet: without its replicas, or while it loads.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    // So many steps at a time keep a store busy that has just come up, and leave room for callers.
    private const int AtOnce = 64;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(Healer),
        ServiceLifecycleStage.ApplicationServices,
        _ =>
        {
            silo.Healing.Store.OnChange = () =>
            {
                var change = silo.Healing.Store.LastChange!;
                var replaying = Task.Run(() => ReplayAsync(change), CancellationToken.None);
                silo.Healing.Replayed = replaying;
                Task.Run(() => HealAsync(change, replaying), CancellationToken.None).Ignore();
            };
            return Task.CompletedTask;
        });

    /// <summary>Ends again what this silo has ended lately; how many the store had forgotten.</summary>
    private async Task<int> ReplayAsync(StoreChange change)
    {
        var replayed = 0;
        var left = new ConcurrentQueue<RecentEnd>();
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
                var (isEnded, wasForgotten) = await EndAgainAsync(end);
                if (wasForgotten)
                {
                    Interlocked.Increment(ref replayed);
                }

                if (!isEnded)
                {
                    left.Enqueue(end);
                }
            }
            finally
            {
                room.Release();
            }
        }));
        if (!left.IsEmpty)
        {
            // Nobody waits for these: one key that is spoilt would keep all sessions from being written back.
            RepeatAsync(change, [.. left]).Ignore();
        }

        return replayed;
    }

    private async Task<(bool IsEnded, bool WasForgotten)> EndAgainAsync(RecentEnd end)
    {
        var reply = await StoreRetry.UntilAnsweredAsync(
            TimeProvider.System,
            SessionRequest.DefaultPatience,
            () => storage.DestroyAsync(end.Handle, end.Reason, silo.Healing.Tombstone));
        if (reply.Outcome == StoreOutcome.Written)
        {
            silo.Metrics.OnReplayed();
        }

        // Whoever has had it in between from the new store.
        var isEnded = reply.IsDone
            && await silo.WarnAsync(storage, end.Handle, reply.TakenFrom, SessionRequest.DefaultPatience, claimant: null);
        return (isEnded, reply.Outcome == StoreOutcome.Written);
    }

    private async Task RepeatAsync(StoreChange change, List<RecentEnd> ends)
    {
        while (ends.Count > 0 && silo.Healing.IsLatest(change))
        {
            await Task.Delay(Again, TimeProvider.System);
            foreach (var end in ends.ToList())
            {
                if ((await EndAgainAsync(end)).IsEnded)
                {
                    ends.Remove(end);
                }
            }
        }
    }

    private async Task HealAsync(StoreChange change, Task<int> replaying)
    {
        var replayed = await replaying;
        await Task.WhenAny(keys.KeepAsync());
        var (healed, others, left) = await HealAsync(change, which: null);
        GrainLog.StoreChanged(silo.Logger, healed, others, replayed);
        while (left.Count > 0 && silo.Healing.IsLatest(change))
        {
            await Task.Delay(Again, TimeProvider.System);
            left = (await HealAsync(change, left)).Left;
        }
    }

    private async Task<(int Healed, int Others, IReadOnlySet<SessionActivation> Left)> HealAsync(
        StoreChange change, IReadOnlySet<SessionActivation>? which)
    {
        var (healed, others, left) = (0, 0, new ConcurrentBag<SessionActivation>());
        using var room = new SemaphoreSlim(AtOnce);
        await silo.Live.WithAllAsync(
            async activation =>
            {
                await room.WaitAsync();
                try
                {
                    switch (await activation.HealAsync(change))
                    {
                        case WriteBack.Done:
                            Interlocked.Increment(ref healed);
                            break;
                        case WriteBack.Forbidden:
                            Interlocked.Increment(ref others);
                            break;
                        case WriteBack.NotYet:
                            left.Add(activation);
                            break;
                    }
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
            },
            which is null ? null : which.Contains);
        return (healed, others, left.ToHashSet());
    }
}
