namespace SessionActors;

/// <summary>When a change of a session is acknowledged.</summary>
public enum FlushMode
{
    /// <summary>When it is stored: whatever was acknowledged survives the silo.</summary>
    WriteThrough,

    /// <summary>
    /// When it is applied in memory. It is stored within <see cref="SessionActorsOptions.FlushDelay"/>, and lost if the silo's process is
    /// killed before. What must not be lost is still written through: creation, end, a new secret, and commits under a lease.
    /// </summary>
    WriteBehind,
}
