using System.Security.Cryptography;

namespace SessionActors;

/// <summary>Sends one step again, unchanged, until the store says what became of it or nobody waits for it any more.</summary>
internal static class StoreRetry
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // Long enough for a connection that was cut to come back, short enough that requests do not pile up in front of a store that is down.
    private static readonly TimeSpan UnsentPatience = TimeSpan.FromSeconds(1);

    // For what nobody waits for, so that many sessions do not keep a store busy that comes back.
    private const int ShortestLongPauseMs = 250, LongestLongPauseMs = 750;

    /// <summary>The patience of what was acknowledged: the store is asked until it answers.</summary>
    public static readonly TimeSpan Endless = TimeSpan.MaxValue;

    /// <summary>
    /// The answer, or the last of the non-answers: Unknown if any try was unknown, so that "not done" is only said when it is certain.
    /// </summary>
    public static async Task<StoreReply> UntilAnsweredAsync(TimeProvider time, TimeSpan patience, Func<Task<StoreReply>> step)
    {
        var started = time.GetTimestamp();
        var maybeDone = false;
        while (true)
        {
            var reply = await step();
            if (reply.Outcome is not (StoreOutcome.Unknown or StoreOutcome.Unsent or StoreOutcome.Refused or StoreOutcome.Late))
            {
                return maybeDone ? reply with { AfterUnknown = true } : reply;
            }

            maybeDone |= reply.Outcome == StoreOutcome.Unknown;
            var limit = maybeDone || patience < UnsentPatience || patience == Endless ? patience : UnsentPatience;
            var elapsed = time.GetElapsedTime(started);
            if (elapsed >= limit)
            {
                return maybeDone ? reply with { Outcome = StoreOutcome.Unknown } : reply;
            }

            await Task.Delay(patience == Endless && elapsed > UnsentPatience ? LongPause() : Pause, time);
        }
    }

    private static TimeSpan LongPause() =>
        TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(ShortestLongPauseMs, LongestLongPauseMs));

    /// <summary>
    /// What a caller is told where the store gave no answer. The client's own exception stays here, in the log: it cannot travel to another
    /// silo, and an exception that cannot travel would take this one with it.
    /// </summary>
    public static SessionUnavailableException ToException(this StoreReply reply, string session) => reply.Outcome switch
    {
        StoreOutcome.Unknown => SessionUnavailableException.Unknown(session, "the store did not answer in time."),
        StoreOutcome.Refused => SessionUnavailableException.NotApplied(
            session, $"the store refused the write ({reply.Error?.Message})."),
        _ => SessionUnavailableException.NotApplied(session, "the store is out of reach."),
    };
}
