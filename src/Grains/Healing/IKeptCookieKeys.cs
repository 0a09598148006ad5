namespace SessionActors;

/// <summary>The cookie keys, as <see cref="ICookieKeysGrain"/> has them, for the silos that remember them.</summary>
[Alias("SessionActors.IKeptCookieKeys")]
internal interface IKeptCookieKeys : IGrainWithIntegerKey
{
    /// <summary>Writes the keys in memory, and those that a silo knows, to a store that has lost them, and returns all.</summary>
    [Alias("Keep"), ResponseTimeout("00:00:05")]
    Task<CookieKeyRing> KeepAsync(CookieKeyRing known);
}
