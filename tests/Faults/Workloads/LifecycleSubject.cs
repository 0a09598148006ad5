namespace SessionActors;

/// <summary>A visitor who logs in, gets new secrets, logs out, and keeps his old cookies.</summary>
internal sealed class LifecycleSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private readonly List<(string Cookie, (TimeSpan From, TimeSpan To) End, List<LateLook> Looks)> _ended = [];

    public override string Check => "lifecycle";

    protected override async Task VisitAsync()
    {
        for (var rotations = Random.Below(3); rotations > 0 && !IsToStop; rotations--)
        {
            await UseAsync();
            var (old, answer) = (Cookie!, await AskAsync("/regenerate"));
            if (answer.Http.Cookie is not { Length: > 0 } cookie)
            {
                // Whether there is a new secret nobody knows; the cookie with it has not come.
                break;
            }

            if (answer.IsDone && !IsLost)
            {
                TakeCookie(cookie);
                _ended.Add((old, (answer.From, answer.To), []));
            }
        }

        await UseAsync();
        if (!IsLost)
        {
            var (cookie, from) = (Cookie!, World.Clock.Now);
            var destroyed = await InsistAsync("/destroy");
            _ended.Add((cookie, (from, destroyed.To), []));
        }

        for (var looks = Random.Between(5, 30); looks > 0; looks--)
        {
            await LookAsync();
        }
    }

    protected override IEnumerable<string> Judge() =>
        _ended.SelectMany(old => LifecycleCheck.Check(old.End, old.Looks, World.Losses, World.Partitions));

    private async Task UseAsync()
    {
        for (var uses = Random.Between(2, 12); uses > 0 && !IsToStop; uses--)
        {
            await AskAsync(Random.Below(2) == 0 ? "/rig/all" : $"/set/v/{Own("v", uses)}");
            await LookAsync();
        }
    }

    private async Task LookAsync()
    {
        if (_ended.Count == 0)
        {
            return;
        }

        var (cookie, _, looks) = Random.OneOf(_ended);
        var answer = await AskAsync("/rig/all", cookie);
        if (answer.IsDone)
        {
            looks.Add(new LateLook(answer.From, answer.To, ContentOf(answer) is not null, $"server {answer.Server}: {answer.Body}"));
        }

        await Clock.PassAsync(Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(300)));
    }
}
