using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>
/// What clients talk to, as through a load balancer: the servers in turn, without those that are down or just did not answer, and with a
/// share of the requests at most for each, so that one that hangs does not hold all.
/// </summary>
/// <param name="servers">The servers.</param>
/// <param name="clock">The campaign's clock.</param>
/// <param name="mostPerServer">How many requests one server has at a time.</param>
/// <param name="perSecond">
/// Most requests that are sent in a second. Null: as many as there can be, which leaves a small machine nothing to start servers with.
/// </param>
internal sealed class Front(IReadOnlyList<AppServer> servers, Clock clock, int mostPerServer, int? perSecond = null)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(10);
    private const int MostSlow = 200;
    private const int MostCrashed = 3;
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AfterSilence = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileNobodyIsThere = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, long> _answers = new();
    private readonly ConcurrentQueue<Answer> _lastFailures = new();
    private readonly ConcurrentQueue<(string Path, Answer Answer)> _slow = new();
    private readonly ConcurrentQueue<(string Path, Answer Answer, string LastWords)> _crashed = new();
    private int _turn;
    private long _nextAt;
    private long _done;
    private long _refused;
    private long _unknown;

    /// <summary>Requests that were answered with success, refused, and left open.</summary>
    public (long Done, long Refused, long Unknown) Counts =>
        (Interlocked.Read(ref _done), Interlocked.Read(ref _refused), Interlocked.Read(ref _unknown));

    public long Operations => Counts is var (done, refused, unknown) ? done + refused + unknown : 0;

    /// <summary>How often each kind of answer came that is no success.</summary>
    public IReadOnlyDictionary<string, long> Failures => _answers;

    /// <summary>What the last servers that refused something, or did not know, had to say.</summary>
    public IReadOnlyCollection<Answer> LastFailures => _lastFailures;

    /// <summary>The requests that took longer than any call may take by itself.</summary>
    public IReadOnlyCollection<(string Path, Answer Answer)> Slow => _slow;

    /// <summary>The first requests that an exception ended which nobody caught, with what their server had to say of it.</summary>
    public IReadOnlyCollection<(string Path, Answer Answer, string LastWords)> Crashed => _crashed;

    /// <summary>The last request that nothing came back for in all the time that a client waits.</summary>
    public (TimeSpan From, TimeSpan To, string Path)? LastHang { get; private set; }

    /// <summary>Asks the server whose turn it is.</summary>
    public async Task<Answer> AskAsync(string path, string? cookie)
    {
        await PaceAsync();
        while (true)
        {
            var server = Next();
            if (server?.Http is not { } http)
            {
                await Clock.PassAsync(WhileNobodyIsThere);
                continue;
            }

            var from = clock.Now;
            HttpAnswer answer;
            Interlocked.Increment(ref server.Load);
            using (var patience = new CancellationTokenSource(Patience, TimeProvider.System))
            {
                answer = await http.GetAsync(path, cookie, patience.Token);
                LastHang = patience.IsCancellationRequested ? (from, clock.Now, path) : LastHang;
            }

            Interlocked.Decrement(ref server.Load);
            if (answer.WasSent)
            {
                var counted = Counted(new Answer(from, clock.Now, OutcomeOf(answer), answer, server.Number));
                if (counted.To - from > SlowFrom && _slow.Count < MostSlow)
                {
                    _slow.Enqueue((path, counted));
                }

                if (answer.Status == 500 && _crashed.Count < MostCrashed)
                {
                    _crashed.Enqueue((path, counted, server.LastWords));
                }

                return counted;
            }

            server.AvoidUntil = clock.Now + (clock.Now - from < AfterRefusal ? AfterRefusal : AfterSilence);
        }
    }

    private async Task PaceAsync()
    {
        if (perSecond is { } most)
        {
            var apart = TimeSpan.TicksPerSecond / most;
            var now = clock.Now.Ticks;
            var mine = Interlocked.Add(ref _nextAt, apart);
            if (mine < now - TimeSpan.TicksPerSecond)
            {
                // What was not sent while nobody answered is not caught up with.
                Interlocked.CompareExchange(ref _nextAt, now, mine);
            }
            else if (mine > now)
            {
                await Clock.PassAsync(TimeSpan.FromTicks(mine - now));
            }
        }
    }

    private AppServer? Next()
    {
        var now = clock.Now;
        for (var i = 0; i < servers.Count; i++)
        {
            var server = servers[(int)((uint)Interlocked.Increment(ref _turn) % servers.Count)];
            if (server.IsInRotation && server.Http is not null && server.AvoidUntil <= now && server.Load < mostPerServer)
            {
                return server;
            }
        }

        return null;
    }

    private static Outcome OutcomeOf(HttpAnswer answer) => answer.Status switch
    {
        >= 200 and < 300 => Outcome.Done,
        // The problem says it in words, for people.
        503 when answer.Body.Contains("Nothing was changed", StringComparison.Ordinal)
            || answer.Body.Contains("Nothing was stored", StringComparison.Ordinal) => Outcome.Refused,
        409 or 413 => Outcome.Refused,
        _ => Outcome.Unknown,
    };

    private Answer Counted(Answer answer)
    {
        Interlocked.Increment(
            ref answer.Outcome == Outcome.Done ? ref _done : ref answer.Outcome == Outcome.Refused ? ref _refused : ref _unknown);
        if (!answer.IsDone)
        {
            var kind = answer.Http.Status == 0 ? "connection lost" : $"{answer.Http.Status}, {answer.Outcome}";
            _answers.AddOrUpdate(kind, 1, (_, count) => count + 1);
            // Which is not promised to survive.
            _ = answer.Body.Contains("The lease on session", StringComparison.Ordinal)
                ? 0 : Interlocked.Increment(ref servers[answer.Server].Failed);
            _lastFailures.Enqueue(answer);
            if (_lastFailures.Count > 5)
            {
                _lastFailures.TryDequeue(out _);
            }
        }

        return answer;
    }
}
