using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// The keys of ASP.NET Core's Data Protection, so that a farm needs no shared folder for them. There is one such grain,
/// <c>GetGrain&lt;IProtectionKeysGrain&gt;(0)</c>. What it keeps is encrypted by a key that it does not have.
/// </summary>
[Alias("SessionActors.IProtectionKeysGrain")]
public interface IProtectionKeysGrain : IGrainWithIntegerKey
{
    /// <summary>All of them, as XML.</summary>
    [Alias("Read"), ResponseTimeout("00:00:05")]
    ValueTask<ImmutableArray<string>> ReadAsync();

    /// <summary>Adds one. The same one added again is there once.</summary>
    [Alias("Add")]
    Task AddAsync(string key);
}
