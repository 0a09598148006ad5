namespace SessionActors;

/// <summary>An element that was to be added, and what came of it.</summary>
internal readonly record struct Addition(string Element, TimeSpan From, TimeSpan To, Outcome Outcome);

/// <summary>Every acknowledged element is there, once; and nothing is there that nobody added.</summary>
internal static class SetCheck
{
    /// <summary>What is wrong.</summary>
    /// <param name="additions">All of them; none is under way any more.</param>
    /// <param name="found">What is in the set then.</param>
    /// <param name="losses">What was added in them may be missing.</param>
    /// <param name="kills">
    /// When servers were killed that had not stored all they had acknowledged: what they took with them was the last, without a hole.
    /// </param>
    public static IEnumerable<string> Check(
        IReadOnlyCollection<Addition> additions,
        IReadOnlyCollection<string> found,
        Windows losses,
        IReadOnlyCollection<TimeSpan>? kills = null)
    {
        var counts = found.CountBy(element => element).ToDictionary();
        foreach (var addition in additions)
        {
            if (addition.Outcome == Outcome.Done && !counts.ContainsKey(addition.Element) && !losses.Touch(addition.From, addition.To))
            {
                yield return $"{addition} is missing, in no window of loss ({losses})";
            }
            else if (addition.Outcome == Outcome.Refused && counts.ContainsKey(addition.Element))
            {
                yield return $"{addition} is there, though it was refused for certain";
            }
        }

        foreach (var kill in kills ?? [])
        {
            var before = additions.Where(a => a.Outcome == Outcome.Done && a.To <= kill).ToArray();
            foreach (var kept in before.Where(a => counts.ContainsKey(a.Element)))
            {
                foreach (var lost in before.Where(a => a.To < kept.From && !counts.ContainsKey(a.Element)))
                {
                    yield return $"{lost} is missing, and {kept} came after it and is there: a hole before the kill at {kill}";
                }
            }
        }

        foreach (var (element, _) in counts.Where(count => count.Value > 1))
        {
            yield return $"{element} is there {counts[element]} times";
        }

        foreach (var element in counts.Keys.Except(additions.Select(addition => addition.Element)))
        {
            yield return $"{element} is there, and nobody added it";
        }
    }
}
