namespace SessionActors;

/// <summary>Visitors who set one property, clear the session, read it, and in the end log out while others still come.</summary>
internal sealed class RegisterSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private const int Visitors = 3;
    private const string Name = "r";

    private readonly Lock _gate = new();
    private readonly List<CallRecord<SessionCall>> _calls = [];
    private int _values;
    private volatile bool _isEnding;

    public override string Check => "register";

    protected override async Task VisitAsync()
    {
        var each = Random.Between(20, 120);
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(visitor => VisitAsync(each, ends: visitor == 0, Random.Branch())));
    }

    protected override IEnumerable<string> Judge() => RegisterCheck.Check(_calls, World.Losses, World.Partitions);

    protected override bool IsOwn(string name, string value) => base.IsOwn(name == Name ? "v" : name, value);

    // Whoever comes after the log-out gets a session of his own, and says so: that is no loss.
    protected override void OnOtherSession(string path, Answer answer)
    {
        if (!_isEnding)
        {
            base.OnOtherSession(path, answer);
        }
    }

    private async Task VisitAsync(int count, bool ends, Seeded random)
    {
        for (var n = 0; n < count && !IsToStop && !_isEnding; n++)
        {
            switch (random.Below(20))
            {
                case <= 10:
                    await ReadAsync();
                    break;
                case <= 18:
                    var value = Own("v", Interlocked.Increment(ref _values));
                    await ChangeAsync(SessionCall.Set((Name, value)), $"/set/{Name}/{value}");
                    break;
                default:
                    await ChangeAsync(SessionCall.Clear(), "/clear");
                    break;
            }
        }

        if (ends && !IsLost)
        {
            _isEnding = true;
            await ChangeAsync(SessionCall.Destroy(), "/destroy");
        }

        for (var n = 0; n < 3 && !IsLost; n++)
        {
            await ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        var answer = await AskAsync("/rig/all");
        var content = answer.IsDone ? ContentOf(answer) : null;
        if (answer.IsDone && content is null && !_isEnding)
        {
            Lost("it is empty", answer);
        }

        Add(answer, SessionCall.Read(Name) with { Answer = content?.GetValueOrDefault(Name), IsGone = content is null }, answer.Outcome);
    }

    private async Task ChangeAsync(SessionCall call, string path)
    {
        var answer = await AskAsync(path);
        // A request that crosses the end of its session is answered, with its changes dropped; one that comes after it changes another.
        var isCrossed = _isEnding && call.Kind != SessionCallKind.Destroy;
        Add(answer, call, isCrossed && answer.IsDone ? Outcome.Unknown : answer.Outcome);
    }

    private void Add(Answer answer, SessionCall call, Outcome outcome)
    {
        lock (_gate)
        {
            var (until, end) = outcome switch
            {
                Outcome.Done => (answer.To.Ticks, CallEnd.Answered),
                Outcome.Refused => (answer.To.Ticks, CallEnd.Refused),
                _ => (long.MaxValue, CallEnd.Unknown),
            };
            _calls.Add(new CallRecord<SessionCall>(Tag, call, answer.From.Ticks, until, end));
        }
    }
}
