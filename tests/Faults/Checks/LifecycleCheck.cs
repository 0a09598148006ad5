namespace SessionActors;

/// <summary>A request with a cookie that opens nothing any more, and whether it saw the session.</summary>
internal readonly record struct LateLook(TimeSpan From, TimeSpan To, bool SawSession, string What);

/// <summary>After an acknowledged destroy or rotation no read with the old cookie succeeds.</summary>
internal static class LifecycleCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="end">When the destroy or rotation was sent and acknowledged.</param>
    /// <param name="looks">What was seen with the old cookie.</param>
    /// <param name="losses">A destroy or rotation in them may be lost.</param>
    /// <param name="partitions">A look in them may be old by the serving lease.</param>
    public static IEnumerable<string> Check(
        (TimeSpan From, TimeSpan To) end, IEnumerable<LateLook> looks, Windows losses, Windows partitions) =>
        from look in looks
        where look.SawSession && !losses.Touch(end.From, end.To)
            && look.From - partitions.AllowanceOf(look.From, look.To) > end.To
        select $"{look}, though it ended in {end}, with losses in {losses}";
}
