using System.Globalization;

namespace SessionActors;

/// <summary>Visitors who read a number, compute and write the next one, each with the session to himself.</summary>
internal sealed class LeaseSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private const int Visitors = 3;

    private readonly Lock _gate = new();
    private readonly List<Turn> _turns = [];
    private long _final;

    public override string Check => "lease";

    protected override async Task VisitAsync()
    {
        var each = Random.Between(10, 60);
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(_ => TakeTurnsAsync(each)));
        if (await AllAsync() is { } all)
        {
            _final = long.Parse(all.GetValueOrDefault("n", "0"), CultureInfo.InvariantCulture);
        }
    }

    protected override IEnumerable<string> Judge() => TurnCheck.Check(_turns, _final, World.Losses);

    protected override bool IsOwn(string name, string value) => name == "n" || base.IsOwn(name, value);

    private async Task TakeTurnsAsync(int count)
    {
        for (var n = 0; n < count && !IsToStop; n++)
        {
            var answer = await AskAsync("/rig/turn/n");
            var said = answer.IsDone ? answer.Body.Split(' ') : ["0", "0"];
            lock (_gate)
            {
                _turns.Add(new Turn(
                    answer.From, answer.To, answer.Outcome, long.Parse(said[0], CultureInfo.InvariantCulture),
                    long.Parse(said[1], CultureInfo.InvariantCulture)));
            }
        }
    }
}
