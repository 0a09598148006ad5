using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>Cookies that open nothing, at full speed.</summary>
public sealed class HostileTests : IAsyncLifetime
{
    private const int Attackers = 16;
    private const int Tries = 20_000;

    // The clock ticks a little more often in one time than in another; attempts that cost something would show by the thousand.
    private const int Slack = 20;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private FaultWorld _world = null!;
    private Front _front = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await FaultWorld.StartAsync(new CampaignSettings { Seed = 1, Servers = 2 });
        _front = new Front(_world.Servers, _world.Clock, mostPerServer: Attackers);
    }

    [Fact]
    public async Task Forged_cookies_cost_Redis_nothing_and_wake_no_session()
    {
        var genuine = await NewSessionAsync();
        var before = await ActivationsAsync();
        var asked = 0L;

        var scripts = await ScriptsDuringAsync(async () => asked = await AttackAsync(attacker => Forged(genuine, attacker)));

        Assert.Equal(Tries, asked);
        Assert.InRange(scripts, 0, Slack);
        Assert.Equal(before, await ActivationsAsync());
    }

    [Fact]
    public async Task Genuine_cookies_of_ended_sessions_cost_a_look_up_for_each_session_and_server()
    {
        var ended = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ended.Add(await NewSessionAsync());
            var answer = await _front.AskAsync("/destroy", ended[^1]);
            Assert.True(answer.IsDone);
        }

        var scripts = await ScriptsDuringAsync(() => AttackAsync(random => random.OneOf(ended)));

        // One that a server looked up when it ended counts for its minute too.
        Assert.InRange(scripts, 1, ended.Count * _world.Servers.Length + Slack);
    }

    public async ValueTask DisposeAsync() => await _world.DisposeAsync();

    private async Task<string> NewSessionAsync()
    {
        var answer = await _front.AskAsync("/set/a/b", cookie: null);
        Assert.True(answer.IsDone);
        return answer.Http.Cookie!;
    }

    /// <summary>Asks for a value that no cookie of this attack may show, and returns how many answers came.</summary>
    private async Task<long> AttackAsync(Func<Seeded, string> cookie)
    {
        var asked = 0L;
        await Task.WhenAll(Enumerable.Range(0, Attackers).Select(async attacker =>
        {
            var random = new Seeded((ulong)attacker);
            for (var i = attacker; i < Tries; i += Attackers)
            {
                var answer = await _front.AskAsync("/get/a", cookie(random));
                Assert.True(answer.IsDone, $"{answer}");
                Assert.Equal("-", answer.Body);
                Interlocked.Increment(ref asked);
            }
        }));
        return asked;
    }

    private static string Forged(string genuine, Seeded random)
    {
        var bytes = Base64Url.DecodeFromChars(genuine);
        switch (random.Below(5))
        {
            case 0:
                bytes[random.Below(bytes.Length)] ^= (byte)(1 << random.Below(8));
                return Base64Url.EncodeToString(bytes);
            case 1:
                return genuine[..random.Below(genuine.Length)];
            case 2:
                // Another session under the same key, as far as one can see.
                RandomNumberGenerator.Fill(bytes.AsSpan(14));
                return Base64Url.EncodeToString(bytes);
            case 3:
                return genuine + "A";
            default:
                RandomNumberGenerator.Fill(bytes);
                return Base64Url.EncodeToString(bytes);
        }
    }

    /// <summary>
    /// How many scripts Redis runs meanwhile, which is all that sessions ever ask of it, without those that servers send by the clock to
    /// prove that they reach it.
    /// </summary>
    private async Task<double> ScriptsDuringAsync(Func<Task> what)
    {
        var (idle, idled) = await CountAsync(() => Clock.PassAsync(Idle));
        var (scripts, took) = await CountAsync(what);
        return Math.Max(0, scripts - idle * (took / idled));
    }

    private async Task<(long Scripts, TimeSpan Took)> CountAsync(Func<Task> what)
    {
        var (before, began) = (await ScriptsAsync(), _world.Clock.Now);
        await what();
        return (await ScriptsAsync() - before, _world.Clock.Now - began);
    }

    private async Task<long> ScriptsAsync() =>
        (await _world.Redis.SendAsync("INFO commandstats")).Split('\n')
            .Where(line => line.StartsWith("cmdstat_eval", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split('=', ',')[1], CultureInfo.InvariantCulture));

    private async Task<string> ActivationsAsync() => (await _front.AskAsync("/activations", cookie: null)).Body;
}
