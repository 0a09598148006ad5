namespace SessionActors;

/// <summary>What came of the search for an order.</summary>
internal enum Verdict
{
    /// <summary>There is an order that explains all answers.</summary>
    Explained,

    /// <summary>There is none.</summary>
    Unexplained,

    /// <summary>The search was given up. It proves nothing, so it counts as a failure.</summary>
    Undecided,
}

/// <summary>
/// Whether every call looks as if it had happened at one moment between its beginning and its end, each key by itself. The search is that
/// of Wing and Gong with Lowe's memory of configurations: <see cref="OrderSearch{TState, TCall}"/>.
/// </summary>
internal static class Linearizability
{
    /// <summary>How many configurations are looked at for one key before the search is given up.</summary>
    public const int MostConfigurations = 1_000_000;

    // To shorten the message is worth so much of searching in all, and so much for one step; what it takes more for is shown.
    private const int MostToShorten = 1_000_000;
    private const int MostToForget = 50_000;

    private const int MostLines = 60;

    /// <summary>What is wrong with a history: a text for each key. None: all is explained.</summary>
    /// <param name="calls">The calls, in any order.</param>
    /// <param name="model">What they do one after the other.</param>
    /// <param name="most">How many configurations are looked at for one key; past it the key fails as undecided.</param>
    public static IReadOnlyList<string> ProblemsOf<TState, TCall>(
        IEnumerable<CallRecord<TCall>> calls, ISequentialModel<TState, TCall> model, int most = MostConfigurations)
        where TState : class
    {
        var problems = new List<string>();
        foreach (var key in calls.Where(call => call.End != CallEnd.Refused).GroupBy(call => call.Key))
        {
            CallRecord<TCall>[] history = [.. key.OrderBy(call => call.From).ThenBy(call => call.Until)];
            var verdict = new OrderSearch<TState, TCall>(history, model).Run(most);
            if (verdict != Verdict.Explained)
            {
                problems.Add(verdict == Verdict.Undecided
                    ? $"{key.Key}: undecided after {most} configurations of {history.Length} calls; "
                        + "record fewer calls at once to one key, or fewer unknown ones"
                    : Describe(key.Key, history, model, most));
            }
        }

        return problems;
    }

    private static string Describe<TState, TCall>(
        string key, CallRecord<TCall>[] history, ISequentialModel<TState, TCall> model, int most)
        where TState : class
    {
        var (upTo, core) = Core(history, model, most);
        var from = core.Min(i => history[i].From);
        var beside = Enumerable.Range(0, history.Length).Where(i => !core.Contains(i) && history[i].From <= upTo
            && (history[i].End == CallEnd.Unknown || history[i].Until >= from));
        var lines = core.Concat(beside.TakeLast(Math.Max(0, MostLines - core.Count))).Order()
            .Select(i => $"\n  {(core.Contains(i) ? '!' : ' ')} {history[i]}");
        return $"{key}: no order of the calls up to {upTo} explains their answers. These are in the way (those marked ! suffice, with all "
            + $"that ended before {from} or never):{string.Concat(lines)}";
    }

    /// <summary>
    /// The smallest set of answers that still cannot be explained when nothing is known of all others, and its last moment. First all
    /// that ended later is forgotten, then as much as can be of the rest, the oldest first.
    /// </summary>
    private static (long UpTo, HashSet<int> Core) Core<TState, TCall>(
        CallRecord<TCall>[] history, ISequentialModel<TState, TCall> model, int most)
        where TState : class
    {
        long[] ends = [.. history.Where(call => call.End == CallEnd.Answered).Select(call => call.Until).Order()];
        var (low, high) = (0, ends.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = SearchOf(AsKnownAt(ends[middle])).Run(most) == Verdict.Unexplained ? (low, middle) : (middle + 1, high);
        }

        var upTo = ends[high];
        var known = AsKnownAt(upTo);
        var core = Enumerable.Range(0, known.Length).Where(i => known[i] is { End: CallEnd.Answered }).ToList();
        var budget = MostToShorten;
        for (var size = core.Count / 2; size > 0 && budget > 0; size /= 2)
        {
            for (var at = 0; at < core.Count;)
            {
                var forgotten = core.Skip(at).Take(size).ToArray();
                var less = known.ToArray();
                foreach (var i in forgotten)
                {
                    less[i] = known[i]! with { End = CallEnd.Unknown };
                }

                var search = SearchOf(less);
                var isStill = search.Run(Math.Min(budget, MostToForget), fewestUnknownFirst: true) == Verdict.Unexplained;
                budget -= search.Looked;
                if (isStill)
                {
                    known = less;
                    core.RemoveRange(at, forgotten.Length);
                }
                else
                {
                    at += size;
                }
            }
        }

        return (upTo, [.. core]);

        CallRecord<TCall>?[] AsKnownAt(long time) => [.. history.Select(call =>
            call.From > time ? null : call.Until > time ? call with { End = CallEnd.Unknown } : call)];

        OrderSearch<TState, TCall> SearchOf(CallRecord<TCall>?[] calls) => new([.. calls.OfType<CallRecord<TCall>>()], model);
    }
}
