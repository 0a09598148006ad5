using System.Globalization;

namespace SessionActors;

/// <summary>Visitors who count up, and look at times.</summary>
internal sealed class CounterSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private const int Visitors = 3;

    private readonly Lock _gate = new();
    private readonly List<Increment> _increments = [];
    private readonly List<Reading> _readings = [];

    public override string Check => "counter";

    protected override async Task VisitAsync()
    {
        var each = Random.Between(40, 300);
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(_ => CountAsync(each)));
        if (await AllAsync() is { } all)
        {
            // Nothing is under way any more, and the owner has just proved to be it: this reading has no excuse.
            var final = new Reading(World.Clock.Now, World.Clock.Now, long.Parse(all.GetValueOrDefault("n", "0"), CultureInfo.InvariantCulture));
            World.Findings.Add(Check, Tag, CounterCheck.Check(_increments, [final], World.Losses, new Windows()));
            World.Findings.Add(Check, Tag, CounterCheck.Check(_increments, _readings, World.Losses, World.Partitions));
        }
    }

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
