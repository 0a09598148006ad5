namespace SessionActors;

/// <summary>An atomic increment by one, and the sum that it said, where it is done.</summary>
internal readonly record struct Increment(TimeSpan From, TimeSpan To, Outcome Outcome, long Sum);

/// <summary>What a counter was seen at.</summary>
internal readonly record struct Reading(TimeSpan From, TimeSpan To, long Value);

/// <summary>
/// Acknowledged increments count once, others at most once: acknowledged ≤ value ≤ acknowledged + unknown at every reading, and no two
/// increments say the same sum, nor a later one a smaller.
/// </summary>
internal static class CounterCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="increments">All of them.</param>
    /// <param name="readings">All of them.</param>
    /// <param name="losses">What was counted in them may be lost.</param>
    /// <param name="partitions">A reading in them may be old by the serving lease.</param>
    public static IEnumerable<string> Check(
        IReadOnlyCollection<Increment> increments, IReadOnlyCollection<Reading> readings, Windows losses, Windows partitions)
    {
        var lasting = increments.Where(i => i.Outcome == Outcome.Done && !losses.Touch(i.From, i.To)).ToArray();
        var possible = increments.Where(i => i.Outcome != Outcome.Refused).ToArray();
        foreach (var reading in readings)
        {
            var truth = reading.From - partitions.AllowanceOf(reading.From, reading.To);
            var least = lasting.Count(i => i.To < truth);
            var most = possible.Count(i => i.From <= reading.To);
            if (reading.Value > most)
            {
                yield return $"{reading} is more than the {most} that may have been counted";
            }
            else if (reading.Value < least)
            {
                yield return $"{reading} is less than the {least} that were acknowledged before, with losses in {losses}";
            }
        }

        foreach (var increment in lasting)
        {
            var (least, most) = (lasting.Count(i => i.To < increment.From), possible.Count(i => i.From <= increment.To));
            if (increment.Sum <= least || increment.Sum > most)
            {
                yield return $"{increment} should be from {least + 1} to {most}";
            }
        }

        foreach (var twice in lasting.GroupBy(i => i.Sum).Where(same => same.Count() > 1))
        {
            yield return $"two increments said {twice.Key}: {string.Join(", ", twice)}";
        }

        foreach (var message in TurnOrder.Check(lasting.Select(i => (i.From, i.To, i.Sum)), "sum"))
        {
            yield return message;
        }
    }
}

/// <summary>What happens after something else has the larger number.</summary>
internal static class TurnOrder
{
    public static IEnumerable<string> Check(IEnumerable<(TimeSpan From, TimeSpan To, long Number)> events, string what)
    {
        var begun = events.OrderBy(e => e.From).ToArray();
        var ended = new PriorityQueue<(TimeSpan From, TimeSpan To, long Number), TimeSpan>(begun.Select(e => (e, e.To)));
        var largest = (From: TimeSpan.Zero, To: TimeSpan.Zero, Number: long.MinValue);
        foreach (var e in begun)
        {
            while (ended.TryPeek(out var before, out var to) && to < e.From)
            {
                ended.Dequeue();
                largest = before.Number > largest.Number ? before : largest;
            }

            if (e.Number <= largest.Number)
            {
                yield return $"{what} of {e} came after that of {largest}";
            }
        }
    }
}
