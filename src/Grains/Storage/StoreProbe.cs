namespace SessionActors;

/// <summary>
/// Which store it is that answers, in the sense of what it can have forgotten: another one after every restart and every failover. Compared
/// for equality.
/// </summary>
internal readonly record struct StoreIdentity(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The answer to a probe.</summary>
/// <param name="Error">What went wrong; null where the store answered.</param>
/// <param name="Identity">Which store it is; null where it does not tell.</param>
/// <param name="Warning">Another one than before where the owner who asks was warned; null where it never was.</param>
/// <param name="Marks">
/// For each part of the users something else than before where <see cref="ISessionStorage.AnnounceAsync"/> was called since; null where the
/// store does not tell.
/// </param>
internal readonly record struct StoreProbe(
    Exception? Error, StoreIdentity? Identity = null, string? Warning = null, IReadOnlyDictionary<int, string>? Marks = null)
{
    /// <summary>Whether the store answered.</summary>
    public bool IsAnswered => Error is null;
}
