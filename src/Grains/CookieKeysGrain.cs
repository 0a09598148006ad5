using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace SessionActors;

/// <summary>Makes the cookie key at its first call, and keeps it in the small state of the cluster.</summary>
internal sealed class CookieKeysGrain(
    [PersistentState("cookiekeys", CookieKeysGrain.StorageName)] IPersistentState<CookieKeyRing> ring, ILogger<CookieKeysGrain> logger)
    : Grain, ICookieKeysGrain
{
    /// <summary>The Orleans storage that keeps the small state of SessionActors' grains.</summary>
    public const string StorageName = "SessionActors";

    public ValueTask<CookieKeyRing> GetAsync() => ring.State.Keys.IsDefaultOrEmpty ? new(MakeAsync()) : new(ring.State);

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
