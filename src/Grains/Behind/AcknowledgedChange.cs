namespace SessionActors;

/// <summary>
/// What an acknowledged write becomes when the session was somebody else's meanwhile, so that it is applied anew: its caller has its answer
/// and cannot be told that it was refused.
/// </summary>
internal static class AcknowledgedChange
{
    /// <summary>Limits that nothing exceeds: what was acknowledged within them is kept, though others have added to the session.</summary>
    public static readonly SessionActorsOptions NoLimits = new()
    {
        MaxPropertyBytes = int.MaxValue, MaxSessionBytes = int.MaxValue, MaxProperties = int.MaxValue / 4,
    };

    /// <summary>
    /// The operation applied to what is there now; where that refuses it (a conflict, a limit, a value that is not the expected one any
    /// more), the change that it was when it was acknowledged.
    /// </summary>
    public static Change Again(PendingWrite write, SessionState state)
    {
        Change again;
        try
        {
            again = write.Operation(state);
        }
        catch (Exception e) when (e is SessionException or ArithmeticException or FormatException)
        {
            return write.Change;
        }

        // A value that came after the one that was taken is nobody's yet.
        return again.IsRefused ? write.Change
            : SessionOperations.Read(write.Entry.Result) is not null && again.Result != write.Entry.Result
                ? again with { Delta = SessionDelta.Empty, Result = write.Entry.Result }
            : again;
    }
}
