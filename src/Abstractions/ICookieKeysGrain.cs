using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// The keys that session cookies are authenticated with, kept with the cluster's state and the same on every server. There is one such
/// grain, <c>GetGrain&lt;ICookieKeysGrain&gt;(0)</c>. Every <c>CookieKeyLifetime</c> a new key takes over: it is in the ring for a day
/// before, so that every server has it by then, and the one before verifies cookies for <see cref="CookieKey.KeptFor"/> after. A cookie
/// under an older key is sent again when it is used.
/// </summary>
[Alias("SessionActors.ICookieKeysGrain")]
public interface ICookieKeysGrain : IGrainWithIntegerKey
{
    /// <summary>The keys, the one that signs first. Makes one if there is none, or the next one if it is time.</summary>
    /// <exception cref="SessionUnavailableException">The store that keeps them is out of reach.</exception>
    /// <exception cref="TimeoutException">No answer came within 5 s.</exception>
    [Alias("Get"), ResponseTimeout("00:00:05")]
    ValueTask<CookieKeyRing> GetAsync();
}

/// <summary>The keys that verify cookies. The first one signs.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.CookieKeyRing")]
public sealed class CookieKeyRing
{
    /// <summary>The keys, the one that signs first.</summary>
    [Id(0)]
    public ImmutableArray<CookieKey> Keys { get; init; } = [];
}

/// <summary>One key for HMAC-SHA-256.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.CookieKey")]
public sealed class CookieKey
{
    /// <summary>What the cookie names the key by.</summary>
    [Id(0)]
    public required uint Id { get; init; }

    /// <summary>256 random bits.</summary>
    [Id(1)]
    public required ImmutableArray<byte> Secret { get; init; }

    /// <summary>When it began to sign, or will, by the clock of the silo that has the keys.</summary>
    [Id(2)]
    public DateTimeOffset SignsFrom { get; init; }

    /// <summary>When another one took over; null while none has.</summary>
    [Id(3)]
    public DateTimeOffset? SignedUntil { get; init; }

    /// <summary>
    /// How long a key verifies cookies after it last signed one: 400 days. Browsers keep a cookie for no longer without being sent it again
    /// (RFC 6265bis), which it is at its first use under a new key.
    /// </summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(400);
}
