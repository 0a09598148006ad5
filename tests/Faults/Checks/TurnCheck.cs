namespace SessionActors;

/// <summary>A read-modify-write under a lease: the lease's token, and the number that it read and raised by one.</summary>
internal readonly record struct Turn(TimeSpan From, TimeSpan To, Outcome Outcome, long Token, long Before);

/// <summary>
/// Who has the session to himself is alone: of turns that read a number and write the next, no two acknowledged ones read the same, tokens
/// grow in the order in which they committed, and the number ends where it should.
/// </summary>
internal static class TurnCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="turns">All of them; none is under way any more.</param>
    /// <param name="final">The number in the end.</param>
    /// <param name="losses">What was done in them may be lost.</param>
    public static IEnumerable<string> Check(IReadOnlyCollection<Turn> turns, long final, Windows losses)
    {
        var lasting = turns.Where(t => t.Outcome == Outcome.Done && !losses.Touch(t.From, t.To)).OrderBy(t => t.Before).ToArray();
        foreach (var (one, next) in lasting.Zip(lasting.Skip(1)))
        {
            if (one.Before == next.Before)
            {
                yield return $"two turns read {one.Before}: {one}, {next}";
            }
            else if (one.Token >= next.Token)
            {
                yield return $"{next} committed after {one}, which has the newer token";
            }
        }

        foreach (var message in TurnOrder.Check(lasting.Select(t => (t.From, t.To, t.Before)), "number")
            .Concat(TurnOrder.Check(lasting.Select(t => (t.From, t.To, t.Token)), "token")))
        {
            yield return message;
        }

        var most = turns.Count(t => t.Outcome != Outcome.Refused);
        if (final < lasting.Length || final > most)
        {
            yield return $"the number is {final}, and should be from {lasting.Length} to {most}, with losses in {losses}";
        }
    }
}
