namespace SessionActors;

/// <summary>What became of one step.</summary>
internal enum StoreOutcome
{
    /// <summary>Done now.</summary>
    Written,

    /// <summary>Done before, under the same request id or nonce.</summary>
    AlreadyWritten,

    /// <summary>It is there; nothing was done.</summary>
    Found,

    /// <summary>Refused: another owner has claimed the session.</summary>
    Fenced,

    /// <summary>Refused: the store's version is lower than the owner's, so the store lost data.</summary>
    Behind,

    /// <summary>Refused: the store's version is higher than the owner's.</summary>
    Ahead,

    /// <summary>Refused: nothing is stored under the handle.</summary>
    Missing,

    /// <summary>Refused: the session has ended.</summary>
    Tombstone,

    /// <summary>Refused: the session has just ended, by its absolute lifetime.</summary>
    Expired,

    /// <summary>Refused create: the handle is taken.</summary>
    Exists,

    /// <summary>Refused create: it is older than its deadline.</summary>
    Late,

    /// <summary>Sent, and no answer, or none that matches: it may be done or not.</summary>
    Unknown,

    /// <summary>Not sent: certainly not done.</summary>
    Unsent,

    /// <summary>The store itself turned the command down before doing anything (out of memory, read-only, loading): not done.</summary>
    Refused,
}

/// <summary>The answer to one step.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why the session ended, with <see cref="StoreOutcome.Tombstone"/> and <see cref="StoreOutcome.Expired"/>.</param>
/// <param name="OwnerName">Who owns the session, with <see cref="StoreOutcome.Fenced"/>.</param>
/// <param name="Session">The session, when a claim was granted.</param>
/// <param name="Mark">Where the session is, with <see cref="StoreOutcome.Found"/>.</param>
/// <param name="Error">What went wrong, with <see cref="StoreOutcome.Unknown"/>, <see cref="StoreOutcome.Unsent"/> and
/// <see cref="StoreOutcome.Refused"/>.</param>
internal readonly record struct StoreReply(
    StoreOutcome Outcome,
    SessionEndReason Reason = SessionEndReason.Missing,
    string? OwnerName = null,
    StoredSession? Session = null,
    SessionMark? Mark = null,
    Exception? Error = null)
{
    /// <summary>
    /// Whether the step was sent before without an answer: it may have been done then, whatever the answer says about now.
    /// </summary>
    public bool AfterUnknown { get; init; }

    /// <summary>
    /// The names of those who had the session and may not know that it is over, where it was ended, or was to be claimed.
    /// </summary>
    public IReadOnlyList<string> TakenFrom { get; init; } = [];

    /// <summary>Whose session it was, where it was ended.</summary>
    public BoundUser? User { get; init; }

    /// <summary>What has happened to the session, where that was asked.</summary>
    public UntoldEvents? Untold { get; init; }

    /// <summary>When a session is to be looked at now, in the store's own spelling, where that was set.</summary>
    public string? Place { get; init; }

    /// <summary>The sessions to be looked at, where those were asked for.</summary>
    public IReadOnlyList<SessionHandle> Due { get; init; } = [];

    public bool IsDone => Outcome is StoreOutcome.Written or StoreOutcome.AlreadyWritten;
}

/// <summary>What tells whether a session in memory is as the store has it.</summary>
/// <param name="Version">How many deltas have been applied.</param>
/// <param name="Owner">Who owns it.</param>
/// <param name="OwnerName">The owner's name.</param>
/// <param name="Released">Whether the owner handed it over with nothing left in its memory.</param>
internal sealed record SessionMark(long Version, OwnerNonce Owner, string OwnerName, bool Released = false);
