using Medallion.Threading;

namespace SessionActors;

/// <summary>What came of asking for a session's guard.</summary>
internal enum GuardOutcome
{
    /// <summary>It is held.</summary>
    Held,

    /// <summary>Another cluster had it for as long as was waited.</summary>
    Busy,

    /// <summary>Most masters did not answer.</summary>
    NoMajority,
}

/// <summary>The answer to asking for a session's guard.</summary>
/// <param name="Outcome">What came of it.</param>
/// <param name="Handle">What holds it, with <see cref="GuardOutcome.Held"/>.</param>
/// <param name="Error">What went wrong, with <see cref="GuardOutcome.NoMajority"/>.</param>
internal readonly record struct GuardReply(GuardOutcome Outcome, IDistributedSynchronizationHandle? Handle = null, Exception? Error = null)
{
    /// <summary>What a caller is told where it is not held.</summary>
    public SessionUnavailableException ToException(string session) => SessionUnavailableException.NotApplied(session, Outcome switch
    {
        GuardOutcome.NoMajority => "most of its lock masters (SessionActors:CrossCluster:Redlock) are out of reach.",
        _ => "another cluster wrote it, or had it to itself, for all of the caller's patience.",
    });
}

/// <summary>What a guard is held for.</summary>
[Flags]
internal enum GuardUses
{
    None = 0,
    Write = 1,
    Lease = 2,
}
