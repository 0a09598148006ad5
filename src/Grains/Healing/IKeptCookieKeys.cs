namespace SessionActors;

/// <summary>The cookie keys, as <see cref="ICookieKeysGrain"/> has them, for a silo that found the store to be another one.</summary>
[Alias("SessionActors.IKeptCookieKeys")]
internal interface IKeptCookieKeys : IGrainWithIntegerKey
{
    /// <summary>Writes the keys in memory to a store that has lost them, beside those that it has.</summary>
    [Alias("Keep")]
    Task KeepAsync();
}
