namespace SessionActors;

/// <summary>How a call ended for its caller.</summary>
internal enum CallEnd
{
    /// <summary>It took effect between its two times, and was answered as recorded.</summary>
    Answered,

    /// <summary>It certainly had no effect.</summary>
    Refused,

    /// <summary>Nobody was told: it took effect at any time after it began, be it after all others, or never.</summary>
    Unknown,
}

/// <summary>One call as its caller saw it.</summary>
/// <param name="Key">What it was made to. Calls to different keys have nothing to do with each other.</param>
/// <param name="Call">What was asked and, where it was answered, the answer.</param>
/// <param name="From">When it began, on any clock that all callers share.</param>
/// <param name="Until">When it ended, on the same clock. Two calls that touch at one moment overlap.</param>
/// <param name="End">How it ended.</param>
internal sealed record CallRecord<TCall>(string Key, TCall Call, long From, long Until, CallEnd End)
{
    public override string ToString() => End switch
    {
        CallEnd.Answered => $"{From}..{Until} {Call}",
        CallEnd.Unknown => $"{From}..? {Call} (unknown)",
        _ => $"{From}..{Until} {Call} (refused)",
    };
}
