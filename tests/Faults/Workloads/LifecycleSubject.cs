namespace SessionActors;

/// <summary>A visitor who logs in, gets new secrets, logs out, and keeps his old cookies.</summary>
internal sealed class LifecycleSubject(SubjectScene scene, string tag, Seeded random) : Subject(scene, tag, random)
{
    private readonly List<(string Cookie, (TimeSpan From, TimeSpan To) End, List<SessionLook> Looks)> _ended = [];
    private readonly List<((TimeSpan From, TimeSpan To) Given, SessionLook Look)> _open = [];

    // When the newest cookie was given; null where it may not be the newest.
    private (TimeSpan From, TimeSpan To)? _given;

    public override string Check => "lifecycle";

    protected override async Task VisitAsync()
    {
        _given = Began;
        for (var rotations = Random.Below(3); rotations > 0 && !IsToStop; rotations--)
        {
            await UseAsync();
            var (old, answer) = (Cookie!, await AskAsync("/regenerate"));
            if (answer.Http.Cookie is not { Length: > 0 } cookie)
            {
                // Whether there is a new secret nobody knows; the cookie with it has not come.
                _given = null;
                break;
            }

            if (answer.IsDone && !IsLost)
            {
                TakeCookie(cookie);
                _given = (answer.From, answer.To);
                _ended.Add((old, (answer.From, answer.To), []));
            }
        }

        await UseAsync();
        if (!IsLost)
        {
            var (cookie, destroyed) = (Cookie!, await AskAsync("/rig/destroy"));
            SawOpen(destroyed);
            var from = destroyed.From;
            destroyed = destroyed.IsDone ? destroyed : await InsistAsync("/rig/destroy");
            _ended.Add((cookie, (from, destroyed.To), []));
        }

        for (var looks = Random.Between(5, 30); looks > 0; looks--)
        {
            await LookAsync();
        }
    }

    protected override IEnumerable<string> Judge() =>
        _ended.SelectMany(old => LifecycleCheck.Check(old.End, old.Looks, World.Losses, World.Partitions))
            .Concat(_open.SelectMany(open => LifecycleCheck.CheckNewest(open.Given, [open.Look], World.Losses)))
            .Select(wrong => wrong + History);

    private async Task UseAsync()
    {
        for (var uses = Random.Between(2, 12); uses > 0 && !IsToStop; uses--)
        {
            if (Random.Below(2) == 0)
            {
                SawOpen(await AskAsync("/rig/all"));
            }
            else
            {
                await AskAsync($"/set/v/{Own("v", uses)}");
            }

            await LookAsync();
        }
    }

    private void SawOpen(Answer answer)
    {
        if (answer.IsDone && _given is { } given)
        {
            _open.Add((given, LookOf(answer)));
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
            looks.Add(LookOf(answer));
        }

        await Clock.PassAsync(Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(300)));
    }

    private SessionLook LookOf(Answer answer) =>
        new(answer.From, answer.To, ContentOf(answer) is not null, $"server {answer.Server}: {answer.Body}");
}
