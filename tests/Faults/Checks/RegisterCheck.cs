namespace SessionActors;

/// <summary>
/// Reads, writes, clears and the end of a session look as if each had happened at one moment between its sending and its answer. Redis may
/// have lost what was done in a window of loss, so the time before it and the time after it are looked at each by itself.
/// </summary>
internal static class RegisterCheck
{
    private static readonly SessionModel Model = new(isThere: true);

    /// <summary>What is wrong.</summary>
    /// <param name="calls">All of them, in the clock's ticks, to one property.</param>
    /// <param name="losses">What was done in them may be lost.</param>
    /// <param name="partitions">What was read in them may be old by the serving lease.</param>
    public static IEnumerable<string> Check(IReadOnlyList<CallRecord<SessionCall>> calls, Windows losses, Windows partitions)
    {
        var touched = losses.TouchedBy(
            TimeSpan.FromTicks(calls.Min(call => call.From)), TimeSpan.FromTicks(calls.Max(call => Math.Min(call.Until, Latest))));
        var allowed = calls.Select(call => call.Call.Kind == SessionCallKind.Read ? Older(call, partitions) : call).ToArray();
        var begins = TimeSpan.MinValue;
        foreach (var window in touched.Append((From: TimeSpan.MaxValue, To: TimeSpan.MaxValue)))
        {
            foreach (var problem in Linearizability.ProblemsOf(Between(allowed, begins, window.From), Model))
            {
                yield return $"{problem}\nwith losses in {losses}";
            }

            begins = window.To;
        }
    }

    private static long Latest => TimeSpan.FromDays(1000).Ticks;

    private static CallRecord<SessionCall> Older(CallRecord<SessionCall> read, Windows partitions)
    {
        var until = TimeSpan.FromTicks(Math.Min(read.Until, Latest));
        return read with { From = read.From - partitions.AllowanceOf(TimeSpan.FromTicks(read.From), until).Ticks };
    }

    private static IEnumerable<CallRecord<SessionCall>> Between(CallRecord<SessionCall>[] calls, TimeSpan begins, TimeSpan ends)
    {
        // What is there after a loss nobody knows, and a silo may show from memory what Redis has forgotten: until the next write.
        var known = begins == TimeSpan.MinValue ? long.MinValue : calls
            .Where(call => call.From > begins.Ticks && call.End == CallEnd.Answered && call.Call.Kind != SessionCallKind.Read)
            .Select(call => call.Until).DefaultIfEmpty(long.MaxValue).Min();
        foreach (var call in calls.Where(call => call.From < ends.Ticks))
        {
            var isRead = call.Call.Kind == SessionCallKind.Read;
            if (call.From > begins.Ticks && call.Until < ends.Ticks)
            {
                if (!isRead || call.From > known)
                {
                    yield return call;
                }
            }
            else if (!isRead && (call.Until >= ends.Ticks || call.End == CallEnd.Unknown || call.Until >= begins.Ticks))
            {
                // Done, or lost, or yet to be done.
                yield return call with { End = CallEnd.Unknown, Until = long.MaxValue };
            }
        }
    }
}
