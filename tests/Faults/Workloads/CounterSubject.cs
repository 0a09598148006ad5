using System.Globalization;

namespace SessionActors;

/// <summary>Visitors who count up, and look at times.</summary>
internal sealed class CounterSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private const int Visitors = 3;

    private readonly Lock _gate = new();
    private readonly List<Increment> _increments = [];
    private readonly List<Reading> _readings = [];
    private Reading _final;

    public override string Check => "counter";

    protected override async Task VisitAsync()
    {
        var each = Random.Between(40, 300);
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(_ => CountAsync(each)));
        if (await AllAsync() is { } all)
        {
            var now = World.Clock.Now;
            _final = new Reading(now, now, long.Parse(all.GetValueOrDefault("n", "0"), CultureInfo.InvariantCulture));
        }
    }

    // At the end nothing is under way any more, and the owner has just proved to be it: that reading has no excuse.
    protected override IEnumerable<string> Judge() =>
        CounterCheck.Check(_increments, _readings, World.Losses, World.Partitions)
            .Concat(CounterCheck.Check(_increments, [_final], World.Losses, new Windows())).Distinct();

    private async Task CountAsync(int count)
    {
        for (var n = 0; n < count && !IsToStop; n++)
        {
            var answer = await AskAsync("/increment/n");
            var sum = answer.IsDone ? long.Parse(answer.Body, CultureInfo.InvariantCulture) : 0;
            lock (_gate)
            {
                _increments.Add(new Increment(answer.From, answer.To, answer.Outcome, sum));
            }

            if (n % 8 == 0)
            {
                await LookAsync();
            }
        }
    }

    private async Task LookAsync()
    {
        var answer = await AskAsync("/number/n");
        if (answer.IsDone)
        {
            lock (_gate)
            {
                var value = answer.Body == "-" ? 0 : long.Parse(answer.Body, CultureInfo.InvariantCulture);
                _readings.Add(new Reading(answer.From, answer.To, value));
            }
        }
    }

    protected override bool IsOwn(string name, string value) => name == "n" || base.IsOwn(name, value);
}
