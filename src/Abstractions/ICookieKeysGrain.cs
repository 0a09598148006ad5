using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// The keys that session cookies are authenticated with: made once, kept with the cluster's state and the same on every server. There is
/// one such grain, <c>GetGrain&lt;ICookieKeysGrain&gt;(0)</c>.
/// </summary>
[Alias("SessionActors.ICookieKeysGrain")]
public interface ICookieKeysGrain : IGrainWithIntegerKey
{
    /// <summary>The keys, the one that signs first. Makes it if there is none.</summary>
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
}
