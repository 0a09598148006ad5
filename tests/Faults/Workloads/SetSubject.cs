namespace SessionActors;

/// <summary>Visitors who each add elements of their own, as properties or to a list that is one property.</summary>
internal sealed class SetSubject(SubjectScene scene, string tag, Seeded random, bool asList) : Subject(scene, tag, random)
{
    private const int Visitors = 3;
    private const string List = "list";
    private const int First = 9999;

    private readonly Lock _gate = new();
    private readonly List<Addition> _additions = [];
    private string[] _found = [];

    public override string Check => asList ? "list" : "set";

    // A list that two begin at once is begun by the last of them: so there is one before anybody adds.
    protected override string BeginPath => asList ? $"/rig/append/{List}/{Own(List, First)}" : base.BeginPath;

    protected override async Task VisitAsync()
    {
        var each = Random.Between(30, asList ? 60 : 250);
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(visitor => AddAsync(visitor, each)));
        if (await AllAsync() is { } all)
        {
            _found = asList
                ? System.Text.Json.JsonSerializer.Deserialize<string[]>(all.GetValueOrDefault(List, "[]"))!
                : [.. all.Keys.Where(name => name != "start")];
        }
    }

    protected override IEnumerable<string> Judge()
    {
        _additions.AddRange(asList ? [new Addition(Own(List, First), Began.From, Began.To, Outcome.Done)] : []);
        var there = _found.ToHashSet();
        Interlocked.Add(ref World.Forgotten, _additions.Count(a => a.Outcome == Outcome.Done && !there.Contains(a.Element)));
        var wrong = SetCheck.Check(_additions, _found, World.Losses, World.UnstoredKills).ToList();
        if (wrong.Count > 0)
        {
            World.Findings.Note($"{Tag} is {string.Join(' ', _found)}\nafter\n{string.Join('\n', _additions.OrderBy(a => a.From))}");
        }

        return wrong;
    }

    protected override bool IsOwn(string name, string value) =>
        name == List
            ? System.Text.Json.JsonSerializer.Deserialize<string[]>(value)!.All(e => base.IsOwn(List, e))
            : base.IsOwn(name, value);

    private async Task AddAsync(int visitor, int count)
    {
        for (var n = 0; n < count && !IsToStop; n++)
        {
            var name = asList ? Own(List, visitor * 1000 + n) : $"e{visitor}x{n}";
            var answer = await AskAsync(asList ? $"/rig/append/{List}/{name}" : $"/set/{name}/{Own(name, n)}");
            var addition = new Addition(name, answer.From, answer.To, answer.Outcome);
            lock (_gate)
            {
                _additions.Add(addition);
            }

            if (!asList && n % 8 == 0 && addition.Outcome == Outcome.Done)
            {
                await LookAsync(addition);
            }
        }
    }

    private async Task LookAsync(Addition addition)
    {
        var answer = await AskAsync($"/get/{addition.Element}");
        if (answer.IsDone && answer.Body != "-")
        {
            CheckOwn(addition.Element, answer.Body, answer);
        }
        else if (answer.IsDone && !World.Losses.Touch(addition.From, addition.To) && !World.Losses.Touch(Began.From, Began.To)
            && addition.To < answer.From - World.Partitions.AllowanceOf(answer.From, answer.To))
        {
            World.Findings.Add(Check, $"{Tag}: {addition} was not seen by {answer}");
        }
    }
}
