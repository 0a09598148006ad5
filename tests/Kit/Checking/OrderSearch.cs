namespace SessionActors;

/// <summary>
/// Looks for an order of one key's calls that explains their answers: places one call after the other that no unplaced one has ended
/// before, and tries another where an answer does not fit. A configuration is which calls are placed and the state they led to. One that
/// was seen is not looked at again, nor one that differs from it only in having used more of the unanswered calls.
/// <para>
/// Two short cuts that lose nothing: an answered call that fits and only looks is placed at once, since no other order could use its absence
/// (one that changes nothing here, such as a clear of what is empty, may be needed later); an unanswered one that would change nothing is
/// not placed.
/// </para>
/// </summary>
internal sealed class OrderSearch<TState, TCall>
    where TState : class
{
    private readonly ISequentialModel<TState, TCall> _model;
    private readonly CallRecord<TCall>[] _answered;
    private readonly CallRecord<TCall>[] _unknown;
    private readonly Dictionary<(int First, string Placed, TState State), List<string>> _seen = [];

    /// <param name="calls">The calls, in the order in which they began.</param>
    /// <param name="model">What they do one after the other.</param>
    public OrderSearch(CallRecord<TCall>[] calls, ISequentialModel<TState, TCall> model)
    {
        _model = model;
        _answered = [.. calls.Where(call => call.End == CallEnd.Answered)];
        _unknown = [.. calls.Where(call => call.End == CallEnd.Unknown)];
    }

    /// <param name="most">How many configurations are looked at.</param>
    /// <param name="fewestUnknownFirst">
    /// Whether orders with few unanswered calls come first, which refutes sooner; else the next best comes first, which finds sooner.
    /// </param>
    public Verdict Run(int most, bool fewestUnknownFirst = false)
    {
        var levels = new List<Stack<Configuration>> { new() };
        levels[0].Push(new(0, "", "", _model.Initial));
        var looked = 0;
        for (var level = 0; level < levels.Count; level++)
        {
            while (levels[level].TryPop(out var next))
            {
                if (looked++ >= most)
                {
                    return Verdict.Undecided;
                }

                var here = WithAllThatOnlyLooks(next, out var end);
                if (here.First == _answered.Length)
                {
                    return Verdict.Explained;
                }

                if (!IsNew(here))
                {
                    continue;
                }

                if (fewestUnknownFirst && levels.Count == level + 1)
                {
                    levels.Add(new());
                }

                foreach (var with in Unanswered(here, end))
                {
                    levels[fewestUnknownFirst ? level + 1 : level].Push(with);
                }

                foreach (var with in Answered(here, end))
                {
                    levels[level].Push(with);
                }
            }
        }

        return Verdict.Unexplained;
    }

    /// <param name="here">A configuration.</param>
    /// <param name="end">When the first of the unplaced calls ended: nothing that began later can come next.</param>
    private Configuration WithAllThatOnlyLooks(Configuration here, out long end)
    {
        while (true)
        {
            end = long.MaxValue;
            for (var i = here.First; i < _answered.Length && _answered[i].From <= end; i++)
            {
                end = here.IsPlaced(i) ? end : Math.Min(end, _answered[i].Until);
            }

            var before = here;
            for (var i = here.First; i < _answered.Length && _answered[i].From <= end; i++)
            {
                if (!here.IsPlaced(i) && _model.OnlyLooks(_answered[i].Call)
                    && _model.After(here.State, _answered[i].Call, isAnswered: true) is { } after)
                {
                    here = here.With(i, after);
                }
            }

            if (before == here)
            {
                return here;
            }
        }
    }

    private IEnumerable<Configuration> Unanswered(Configuration here, long end)
    {
        for (var i = 0; i < _unknown.Length && _unknown[i].From <= end; i++)
        {
            if (!Bits.Has(here.Used, i) && _model.After(here.State, _unknown[i].Call, isAnswered: false) is { } after
                && !after.Equals(here.State))
            {
                yield return here with { Used = Bits.With(here.Used, i), State = after };
            }
        }
    }

    // The one that began first is pushed last, and so comes next.
    private IEnumerable<Configuration> Answered(Configuration here, long end)
    {
        var last = here.First;
        while (last + 1 < _answered.Length && _answered[last + 1].From <= end)
        {
            last++;
        }

        for (var i = last; i >= here.First; i--)
        {
            if (!here.IsPlaced(i) && _model.After(here.State, _answered[i].Call, isAnswered: true) is { } after)
            {
                yield return here.With(i, after);
            }
        }
    }

    private bool IsNew(Configuration here)
    {
        if (!_seen.TryGetValue((here.First, here.Placed, here.State), out var used))
        {
            _seen.Add((here.First, here.Placed, here.State), [here.Used]);
            return true;
        }

        if (used.Exists(less => Bits.AreIn(less, here.Used)))
        {
            return false;
        }

        used.Add(here.Used);
        return true;
    }

    /// <param name="First">The first answered call that is not placed.</param>
    /// <param name="Placed">Which of those from there on are placed.</param>
    /// <param name="Used">Which unanswered calls are placed.</param>
    /// <param name="State">The state they led to.</param>
    private sealed record Configuration(int First, string Placed, string Used, TState State)
    {
        public bool IsPlaced(int index) => Bits.Has(Placed, index - First);

        public Configuration With(int index, TState after)
        {
            var (placed, by) = (Bits.With(Placed, index - First), 0);
            while (Bits.Has(placed, by))
            {
                by++;
            }

            return this with { First = First + by, Placed = Bits.From(placed, by), State = after };
        }
    }
}
