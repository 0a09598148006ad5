using System.Security.Cryptography;

namespace SessionActors;

/// <summary>When which cookie key signs. One is in the ring for a while before it does: servers read the ring every hour.</summary>
internal static class CookieKeyTurns
{
    private static readonly TimeSpan LongestLead = TimeSpan.FromDays(1);

    /// <summary>A key that is drawn now.</summary>
    public static CookieKey NewKey(DateTimeOffset signsFrom) => new()
    {
        Id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))),
        Secret = [.. RandomNumberGenerator.GetBytes(32)],
        SignsFrom = signsFrom,
    };

    /// <summary>Whether a key's cookies are all worth nothing any more.</summary>
    public static bool IsOver(CookieKey key, DateTimeOffset now) => key.SignedUntil + CookieKey.KeptFor <= now;

    /// <summary>The ring as it should be now; the same one where it is.</summary>
    public static CookieKeyRing At(CookieKeyRing ring, DateTimeOffset now, TimeSpan lifetime)
    {
        var signing = ring.Keys[0];
        var next = ring.Keys.Skip(1).Where(key => key.SignedUntil is null && key.SignsFrom > signing.SignsFrom)
            .MinBy(key => key.SignsFrom);
        if (next is not null && next.SignsFrom <= now)
        {
            ring = new CookieKeyRing { Keys = [next, Stopped(signing, now), .. ring.Keys.Where(key => key != next && key != signing)] };
        }
        else if (next is null && signing.SignsFrom + lifetime - LeadOf(lifetime) <= now)
        {
            ring = new CookieKeyRing { Keys = [.. ring.Keys, NewKey(now + LeadOf(lifetime))] };
        }

        return ring.Keys.Any(key => IsOver(key, now)) ? new CookieKeyRing { Keys = [.. ring.Keys.Where(key => !IsOver(key, now))] } : ring;
    }

    private static TimeSpan LeadOf(TimeSpan lifetime) => lifetime / 4 < LongestLead ? lifetime / 4 : LongestLead;

    private static CookieKey Stopped(CookieKey key, DateTimeOffset now) => new()
    {
        Id = key.Id, Secret = key.Secret, SignsFrom = key.SignsFrom, SignedUntil = now,
    };
}
