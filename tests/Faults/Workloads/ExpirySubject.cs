using System.Globalization;

namespace SessionActors;

/// <summary>A visitor who comes now and then to a session with a short idle time-out, and then stays away.</summary>
internal sealed class ExpirySubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(8);

    // The touch interval of such a session is a twentieth of it. The rest is for a server that stands still at the wrong moment.
    private static readonly TimeSpan Late = (Idle / 20) + TimeSpan.FromSeconds(2);

    private readonly List<Visit> _visits = [];

    public override string Check => "expiry";

    protected override bool IsSteady => false;

    protected override string BeginPath =>
        string.Create(CultureInfo.InvariantCulture, $"/rig/idle/{Idle.TotalMilliseconds}/start/{Own("start", 0)}");

    protected override async Task VisitAsync()
    {
        _visits.Add(new Visit(Began.From, Began.To, Outcome.Done, WasThere: true));
        for (var visits = Random.Between(2, 6); visits > 0 && !IsToStop; visits--)
        {
            await Clock.PassAsync(Random.Between(TimeSpan.Zero, Idle - TimeSpan.FromSeconds(1)));
            await ComeAsync();
        }

        await Clock.PassAsync(Idle + Late + Random.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1)));
        await ComeAsync();
    }

    protected override IEnumerable<string> Judge() => ExpiryCheck.Check(_visits, Idle, Late, World.Rollbacks, World.Outages);

    private async Task ComeAsync()
    {
        var answer = await AskAsync("/rig/all");
        if (answer.Outcome != Outcome.Refused)
        {
            _visits.Add(new Visit(answer.From, answer.To, answer.Outcome, answer.IsDone && ContentOf(answer) is not null));
        }
    }
}
