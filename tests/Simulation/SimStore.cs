namespace SessionActors;

/// <summary>
/// The store behind a network that delays, loses and repeats. What it does to a session it does as the model says; what a caller hears of
/// it is another matter.
/// </summary>
internal sealed class SimStore
{
    // The Redis client's own time-out.
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromMilliseconds(1500);

    private readonly SimScheduler _scheduler;
    private readonly ModelSessionStorage _model;
    private readonly List<Action> _stalled = [];
    private bool _isStalled;
    private int _servers;

    public SimStore(SimScheduler scheduler)
    {
        _scheduler = scheduler;
        _model = new ModelSessionStorage(scheduler.Clock);
    }

    public ModelSessionStorage Model => _model;

    /// <summary>Of a hundred steps, so many never reach the store.</summary>
    public int LostRequests { get; set; }

    /// <summary>Of a hundred steps, so many are done and not answered.</summary>
    public int LostReplies { get; set; }

    /// <summary>Of a hundred steps, so many reach the store seconds late, when their caller has given up.</summary>
    public int LateRequests { get; set; }

    /// <summary>Of a hundred steps, so many reach the store a second time, seconds later.</summary>
    public int Repeated { get; set; }

    /// <summary>Of a hundred steps, so many are not sent, and their caller knows.</summary>
    public int Unsent { get; set; }

    /// <summary>Of a hundred steps, so many are turned down by the store.</summary>
    public int Refused { get; set; }

    /// <summary>While it is stalled it does nothing; then it does all that has come.</summary>
    public bool IsStalled
    {
        get => _isStalled;
        set
        {
            _isStalled = value;
            if (!value)
            {
                var waiting = _stalled.ToArray();
                _stalled.Clear();
                foreach (var arrive in waiting)
                {
                    arrive();
                }
            }
        }
    }

    public void BeWell() =>
        (LostRequests, LostReplies, LateRequests, Repeated, Unsent, Refused, IsStalled) = (0, 0, 0, 0, 0, 0, false);

    /// <summary>What is on its way, however late, goes to a server that is not there any more.</summary>
    public void LoseAllOnTheWay()
    {
        _servers++;
        LoseStalled();
    }

    /// <summary>What has arrived is lost, as when the server is killed.</summary>
    public void LoseStalled() => _stalled.Clear();

    /// <summary>The store as somebody sees it.</summary>
    public ISessionStorage For(string who) => new WatchedStorage(_model)
    {
        OnStep = (name, run) => StepAsync(who, name, run),
        OnProbe = run => ProbeAsync(who, run),
    };

    // It does not tell which store it is, so nothing is written back to it after a loss: the checks say what is lost then.
    private async Task<StoreProbe> ProbeAsync(string who, Func<Task<StoreProbe>> run)
    {
        var reply = await StepAsync(who, "probe", async () =>
        {
            // The reply has no room for it, and carries it in a name.
            return new StoreReply(StoreOutcome.Found, OwnerName: (await run()).Warning);
        });
        return reply.Outcome == StoreOutcome.Found ? new StoreProbe(null, Warning: reply.OwnerName)
            : new StoreProbe(new TimeoutException("No answer."));
    }

    private Task<StoreReply> StepAsync(string who, string name, Func<Task<StoreReply>> run)
    {
        var dice = _scheduler.Dice;
        var answered = new TaskCompletionSource<StoreReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (dice.Chance(Unsent))
        {
            return Task.FromResult(new StoreReply(StoreOutcome.Unsent));
        }

        var (number, server) = (_scheduler.NextId(), _servers);
        var (isLost, isUnanswered, isLate) = (dice.Chance(LostRequests), dice.Chance(LostReplies), dice.Chance(LateRequests));
        var (isRepeated, isRefused) = (dice.Chance(Repeated), dice.Chance(Refused));
        _scheduler.Note(() => $"{who}: {name} #{number} sent{(isLost ? ", lost" : isLate ? ", late" : isUnanswered ? ", unheard" : "")}");
        if (!isLost)
        {
            _scheduler.Clock.After(isLate ? dice.Between(1000, 8000) : dice.Between(0, 2), Arrive);
        }

        if (isRepeated)
        {
            _scheduler.Clock.After(dice.Between(1, 8000), () => _ = server == _servers ? Do("again") : default);
        }

        _scheduler.Clock.After(ReplyTimeout, () => answered.TrySetResult(new StoreReply(StoreOutcome.Unknown)));
        return answered.Task;

        void Arrive()
        {
            if (server != _servers)
            {
                return;
            }

            if (_isStalled)
            {
                _stalled.Add(Arrive);
            }
            else if (Do("done") is var reply && !isUnanswered)
            {
                _scheduler.Clock.After(dice.Between(0, 2), () => answered.TrySetResult(reply));
            }
        }

        StoreReply Do(string how)
        {
            // The model answers at once.
            var reply = isRefused ? new StoreReply(StoreOutcome.Refused) : run().GetAwaiter().GetResult();
            _scheduler.Mix((int)reply.Outcome);
            _scheduler.Note(() => $"{who}: {name} #{number} {how}: {reply.Outcome}");
            return reply;
        }
    }
}
