namespace SessionActors;

/// <summary>What came of writing a session back to a store that has lost it.</summary>
internal enum WriteBack
{
    /// <summary>The store has it, as the old one had confirmed it last.</summary>
    Done,

    /// <summary>It may not be: somebody else may have had it, or ended it.</summary>
    Forbidden,

    /// <summary>It may be, and could not: the store does not take it yet, or nobody knows yet whether it may be.</summary>
    NotYet,
}
