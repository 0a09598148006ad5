namespace SessionActors;

/// <summary>A visit to a session that ends when nobody comes, and whether it was there. Refused visits are none.</summary>
internal readonly record struct Visit(TimeSpan From, TimeSpan To, Outcome Outcome, bool WasThere);

/// <summary>A session never ends before its idle time-out, and not long after.</summary>
internal static class ExpiryCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="visits">All of them, one after the other; the first began the session.</param>
    /// <param name="idle">The idle time-out.</param>
    /// <param name="late">How much longer it may live.</param>
    /// <param name="losses">What was renewed in them may be forgotten.</param>
    /// <param name="outages">
    /// What was renewed in them may not have been told to Redis, which keeps the session as long as it was told before.
    /// </param>
    public static IEnumerable<string> Check(IReadOnlyList<Visit> visits, TimeSpan idle, TimeSpan late, Windows losses, Windows outages)
    {
        for (var i = 1; i < visits.Count; i++)
        {
            var visit = visits[i];
            if (visit.Outcome != Outcome.Done)
            {
                continue;
            }

            var renewed = visits.Take(i)
                .Last(v => v == visits[0] || (v is { Outcome: Outcome.Done, WasThere: true } && !outages.Touch(v.From, v.To)));
            var perhaps = visits[i - 1];
            if (!visit.WasThere && visit.To - renewed.From < idle && !losses.Touch(visits[0].From, visits[0].To)
                && !losses.Touch(renewed.From, renewed.To))
            {
                yield return $"early: {visit} found nothing, after {renewed}, with losses in {losses}";
            }
            else if (visit.WasThere && visit.From - perhaps.To > idle + late)
            {
                yield return $"late: {visit} found it {visit.From - perhaps.To} after {perhaps}";
            }
        }
    }
}
