using System.Collections.Concurrent;
using System.Globalization;

namespace SessionActors;

/// <summary>What all subjects share.</summary>
internal sealed record SubjectScene(FaultWorld World, Front Front, Recovery Recovery, CancellationToken Stop);

/// <summary>
/// One session with its visitors, from its beginning to the check of what became of it. Everything that it keeps has its own name in it, so
/// that whatever turns up in another session is recognised.
/// </summary>
internal abstract class Subject(SubjectScene scene, string tag, Seeded random)
{
    private const int MostRemembered = 40;

    private readonly ConcurrentDictionary<long, string> _asking = new();
    private readonly ConcurrentQueue<(string Path, string? Cookie, Answer Answer)> _history = new();
    private volatile bool _isLost;
    private Answer _last;
    private long _asked;

    protected FaultWorld World { get; } = scene.World;

    protected Seeded Random { get; } = random;

    protected string Tag { get; } = tag;

    /// <summary>What it checks.</summary>
    public abstract string Check { get; }

    /// <summary>The cookie that opens the session.</summary>
    protected string? Cookie { get; private set; }

    /// <summary>When the session was created.</summary>
    protected (TimeSpan From, TimeSpan To) Began { get; private set; }

    /// <summary>Whether the session was found to be gone, which only a loss of its creation excuses.</summary>
    protected bool IsLost => _isLost;

    /// <summary>Whether visitors are to come to an end.</summary>
    protected bool IsToStop => scene.Stop.IsCancellationRequested || _isLost;

    /// <summary>Its name, and what it waits for.</summary>
    public override string ToString() =>
        $"{Tag} ({(_asking.IsEmpty ? "asks for nothing" : string.Join(", ", _asking.Values))}; last: {_last})";

    /// <summary>Its last calls, a line each, for whoever has to find out how something came about.</summary>
    public string History => string.Concat(_history.Select(call => string.Create(
        CultureInfo.InvariantCulture,
        $"\n    {call.Answer.From.TotalSeconds:0.000}-{call.Answer.To.TotalSeconds:0.000} s, server {call.Answer.Server}: {call.Path} "
            + $"with {call.Cookie?[^6..]}: {call.Answer.Http.Status} {call.Answer.Body.ReplaceLineEndings(" ")}")));

    /// <summary>Lives the session through.</summary>
    public async Task RunAsync()
    {
        await BeginAsync();
        if (Cookie is null)
        {
            return;
        }

        if (IsSteady)
        {
            scene.Recovery.Add(this);
        }

        await VisitAsync();
        scene.Recovery.Remove(this);
        if (!_isLost)
        {
            World.Findings.Add(Check, Tag, Judge());
        }
    }

    /// <summary>Whether its visitors come all the time, so that it is seen when the session answers again.</summary>
    protected virtual bool IsSteady => true;

    /// <summary>A visitor was given a new session, because his is not there.</summary>
    protected virtual void OnOtherSession(string path, Answer answer) => Lost($"{path} got another session", answer);

    /// <summary>Works on the session that has begun, and looks at what has become of it.</summary>
    protected abstract Task VisitAsync();

    /// <summary>What is wrong with what was seen. Not asked where the session was lost.</summary>
    protected abstract IEnumerable<string> Judge();

    protected virtual string BeginPath => $"/set/start/{Own("start", 0)}";

    /// <summary>A value of this session and no other.</summary>
    protected string Own(string name, int n) => string.Create(CultureInfo.InvariantCulture, $"{Tag}.{name}.{n}");

    protected Task<Answer> AskAsync(string path) => AskAsync(path, Cookie);

    protected async Task<Answer> AskAsync(string path, string? cookie)
    {
        var ask = Interlocked.Increment(ref _asked);
        _asking[ask] = $"{path} since {World.Clock.Now.TotalSeconds:0.0} s";
        var answer = await scene.Front.AskAsync(path, cookie);
        _asking.TryRemove(ask, out _);
        _last = answer;
        _history.Enqueue((path, cookie, answer));
        if (_history.Count > MostRemembered)
        {
            _history.TryDequeue(out _);
        }

        if (answer.IsDone)
        {
            scene.Recovery.Saw(this, answer);
        }

        // A visitor whose session is gone gets a new one with what he sets.
        if (cookie is not null && cookie == Cookie && answer.Http.Cookie is { Length: > 0 } other
            && CookieText.HandleOf(other) != CookieText.HandleOf(cookie))
        {
            OnOtherSession(path, answer);
        }

        return answer;
    }

    /// <summary>Asks until it is done.</summary>
    protected async Task<Answer> InsistAsync(string path)
    {
        while (true)
        {
            var answer = await AskAsync(path);
            if (answer.IsDone || _isLost)
            {
                return answer;
            }

            await Clock.PassAsync(TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>What is in the session, of an owner that has just proved to be it; null where the session is not there.</summary>
    protected async Task<Dictionary<string, string>?> AllAsync()
    {
        var answer = await InsistAsync("/rig/settled");
        if (_isLost)
        {
            return null;
        }

        if (ContentOf(answer) is { } content)
        {
            return content;
        }

        Lost("it is empty", answer);
        return null;
    }

    /// <summary>What a page of everything says; null where there is no session.</summary>
    protected Dictionary<string, string>? ContentOf(Answer answer)
    {
        var lines = answer.Body.Split('\n');
        if (lines[0] == "0")
        {
            return null;
        }

        var content = lines.Skip(1).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        foreach (var (name, value) in content)
        {
            CheckOwn(name, value, answer);
        }

        return content;
    }

    /// <summary>Whether a value, where there is one, is of this session and this property: any other is fatal.</summary>
    protected void CheckOwn(string name, string value, Answer answer)
    {
        if (!IsOwn(name, value))
        {
            World.Findings.Add("isolation", $"{Tag}: {name} was '{value}' in {answer}");
        }
    }

    /// <summary>Numbers and lists are not told from others' here.</summary>
    protected virtual bool IsOwn(string name, string value) => value.StartsWith($"{Tag}.{name}.", StringComparison.Ordinal);

    /// <summary>The cookie was changed by a rotation.</summary>
    protected void TakeCookie(string cookie) => Cookie = cookie;

    protected void Lost(string how, Answer answer)
    {
        if (!_isLost)
        {
            _isLost = true;
            if (!World.Losses.Touch(Began.From, Began.To))
            {
                World.Findings.Add(Check, $"{Tag}, begun in {Began}, was lost: {how} in {answer}; losses in {World.Losses}");
            }
        }
    }

    private async Task BeginAsync()
    {
        while (!scene.Stop.IsCancellationRequested)
        {
            var answer = await AskAsync(BeginPath, cookie: null);
            if (answer.IsDone && answer.Http.Cookie is { Length: > 0 } cookie)
            {
                (Cookie, Began) = (cookie, (answer.From, answer.To));
                return;
            }

            await Clock.PassAsync(TimeSpan.FromMilliseconds(20));
        }
    }
}
