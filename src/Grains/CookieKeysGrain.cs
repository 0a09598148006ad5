using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace SessionActors;

/// <summary>Makes the cookie key at its first call, and keeps it in the small state of the cluster.</summary>
internal sealed class CookieKeysGrain(
    [PersistentState("cookiekeys", CookieKeysGrain.StorageName)] IPersistentState<CookieKeyRing> ring, ILogger<CookieKeysGrain> logger)
    : Grain, ICookieKeysGrain, IKeptCookieKeys
{
    /// <summary>The Orleans storage that keeps the small state of SessionActors' grains.</summary>
    public const string StorageName = "SessionActors";

    public ValueTask<CookieKeyRing> GetAsync() => ring.State.Keys.IsDefaultOrEmpty ? new(MakeAsync()) : new(ring.State);

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
            var lost = all.Where(key => !stored.Any(other => other.Id == key.Id)).DistinctBy(key => key.Id).ToList();
            if (lost.Count > 0)
            {
                // One that was made meanwhile signs, so that those who have only heard of that one know it.
                ring.State = new CookieKeyRing { Keys = [.. stored, .. lost] };
                await ring.WriteStateAsync();
            }

            return ring.State;
        }
        catch
        {
            ring.State = mine;
            throw;
        }
    }

    private async Task<CookieKeyRing> MakeAsync()
    {
        var key = new CookieKey
        {
            Id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))),
            Secret = [.. RandomNumberGenerator.GetBytes(32)],
        };
        ring.State = new CookieKeyRing { Keys = [key] };
        try
        {
            await ring.WriteStateAsync();
            GrainLog.CookieKeyMade(logger, key.Id);
        }
        catch (InconsistentStateException)
        {
            // A second activation was faster, or this write's answer was lost: what is stored counts.
            await ring.ReadStateAsync();
        }
        catch
        {
            ring.State = new CookieKeyRing();
            throw;
        }

        return ring.State;
    }
}
