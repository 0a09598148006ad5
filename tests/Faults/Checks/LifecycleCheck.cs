namespace SessionActors;

/// <summary>A request with a cookie, and whether it saw the session.</summary>
internal readonly record struct SessionLook(TimeSpan From, TimeSpan To, bool SawSession, string What);

/// <summary>After an acknowledged destroy or rotation no read with the old cookie succeeds, and until then each.</summary>
internal static class LifecycleCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="end">When the destroy or rotation was sent and acknowledged.</param>
    /// <param name="looks">What was seen with the old cookie.</param>
    /// <param name="losses">A destroy or rotation in them may be lost.</param>
    /// <param name="partitions">A look in them may be old by the serving lease.</param>
    public static IEnumerable<string> Check(
        (TimeSpan From, TimeSpan To) end, IEnumerable<SessionLook> looks, Windows losses, Windows partitions) =>
        from look in looks
        where look.SawSession && !losses.Touch(end.From, end.To)
            && look.From - partitions.AllowanceOf(look.From, look.To) > end.To
        select $"{look}, though it ended in {end}, with losses in {losses}";

    /// <summary>What is wrong with what was seen with the newest cookie: however old a read is, it is not refused for that.</summary>
    /// <param name="given">When the request that gave the cookie was sent and answered.</param>
    /// <param name="looks">What was seen with it.</param>
    /// <param name="losses">What gave the cookie in them may be lost.</param>
    public static IEnumerable<string> CheckNewest((TimeSpan From, TimeSpan To) given, IEnumerable<SessionLook> looks, Windows losses) =>
        from look in looks
        where !look.SawSession && !losses.Touch(given.From, given.To)
        select $"{look}, though the cookie was the newest, given in {given}, with losses in {losses}";
}
