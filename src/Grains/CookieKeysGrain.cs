using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace SessionActors;

/// <summary>
/// Makes the first cookie key at its first call and the others when it is time, and keeps them in the small state of the cluster.
/// </summary>
internal sealed class CookieKeysGrain(
    [PersistentState("cookiekeys", CookieKeysGrain.StorageName)] IPersistentState<CookieKeyRing> ring,
    IOptions<SessionActorsOptions> options,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time,
    ILogger<CookieKeysGrain> logger)
    : Grain, ICookieKeysGrain, IKeptCookieKeys
{
    /// <summary>The Orleans storage that keeps the small state of SessionActors' grains.</summary>
    public const string StorageName = "SessionActors";

    public ValueTask<CookieKeyRing> GetAsync() => ring.State.Keys.IsDefaultOrEmpty ? new(MakeAsync()) : new(TurnedAsync());

    public async Task<CookieKeyRing> KeepAsync(CookieKeyRing known)
    {
        var mine = ring.State;
        CookieKey[] all = [.. mine.Keys.IsDefault ? [] : mine.Keys, .. known.Keys];
        if (all.Length == 0)
        {
            return mine;
        }

        try
        {
            await ring.ReadStateAsync();
            var stored = ring.State.Keys.IsDefault ? [] : ring.State.Keys;
            // One whose time is over was not lost.
            var lost = all.Where(key => !stored.Any(other => other.Id == key.Id) && !CookieKeyTurns.IsOver(key, time.GetUtcNow()))
                .DistinctBy(key => key.Id).ToList();
            if (lost.Count > 0)
            {
                // One that was made meanwhile signs, so that those who have only heard of that one know it.
                ring.State = new CookieKeyRing { Keys = [.. stored, .. lost] };
                await ring.WriteStateAsync();
            }

            return await TurnedAsync();
        }
        catch
        {
            ring.State = mine;
            throw;
        }
    }

    private async Task<CookieKeyRing> MakeAsync()
    {
        var key = CookieKeyTurns.NewKey(time.GetUtcNow());
        await WriteAsync(new CookieKeyRing { Keys = [key] });
        return ring.State;
    }

    private async Task<CookieKeyRing> TurnedAsync()
    {
        var turned = CookieKeyTurns.At(ring.State, time.GetUtcNow(), options.Value.CookieKeyLifetime);
        if (turned != ring.State)
        {
            try
            {
                await WriteAsync(turned);
            }
            catch (Exception e)
            {
                // The keys that are known are good meanwhile.
                GrainLog.CookieKeysNotTurned(logger, e);
            }
        }

        return ring.State;
    }

    private async Task WriteAsync(CookieKeyRing next)
    {
        var before = ring.State;
        ring.State = next;
        try
        {
            await ring.WriteStateAsync();
            foreach (var key in next.Keys.Where(key => before.Keys.IsDefault || !before.Keys.Any(other => other.Id == key.Id)))
            {
                GrainLog.CookieKeyMade(logger, key.Id, key.SignsFrom);
            }
        }
        catch (InconsistentStateException)
        {
            // A second activation was faster, or this write's answer was lost: what is stored counts.
            await ring.ReadStateAsync();
        }
        catch
        {
            ring.State = before;
            throw;
        }
    }
}
