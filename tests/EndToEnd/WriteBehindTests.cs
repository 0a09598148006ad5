using System.Globalization;

namespace SessionActors;

/// <summary>Changes that are acknowledged before they are in Redis, and servers that go away meanwhile.</summary>
public sealed class WriteBehindTests : IAsyncLifetime
{
    // Longer than a test: what is in Redis came there otherwise.
    private const string Long = "00:01:00";

    private RedisServer _redis = null!;
    private AppProcess _holder = null!;
    private AppProcess _other = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync(new RedisServerSettings { AppendOnly = true });

    [Fact]
    public async Task An_orderly_stop_stores_everything_that_was_acknowledged()
    {
        await StartAsync(Long);
        var visitors = await VisitorsAsync(40);
        await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync("/increment/n")));
        Assert.DoesNotContain("n", (await _redis.StoredAsync(visitors[0].Handle)).Keys);

        await _holder.StopAsync();

        foreach (var visitor in visitors)
        {
            using var elsewhere = visitor.At(_other.Address);
            Assert.Equal("1", await elsewhere.GetAsync("/number/n"));
        }
    }

    [Fact]
    public async Task A_stop_while_requests_go_on_is_not_noticed_at_the_other_server_and_loses_nothing()
    {
        await StartAsync("00:00:00.500");
        var visitors = (await VisitorsAsync(20)).Select(visitor => visitor.At(_other.Address)).ToArray();
        var counts = new int[visitors.Length];
        using var enough = new CancellationTokenSource();
        var writing = Task.WhenAll(visitors.Select(async (visitor, i) =>
        {
            while (!enough.IsCancellationRequested)
            {
                counts[i] = int.Parse(await visitor.GetAsync("/increment/n"), CultureInfo.InvariantCulture);
            }
        }));
        await Until.TrueAsync(() => counts.All(count => count > 3), "all write");

        await _holder.StopAsync();

        var before = counts.ToArray();
        await Until.TrueAsync(() => counts.Zip(before).All(pair => pair.First > pair.Second + 1), "all write on");
        await enough.CancelAsync();
        await writing;
        for (var i = 0; i < visitors.Length; i++)
        {
            Assert.Equal($"{counts[i]}", await visitors[i].GetAsync("/number/n"));
        }
    }

    [Fact]
    public async Task A_kill_loses_the_last_changes_at_most_and_never_one_before_one_that_is_kept()
    {
        await StartAsync("00:00:02");
        using var visitor = (await VisitorsAsync(1))[0];
        var written = 0;
        await WriteAsync(30);
        await Until.TrueAsync(
            async () => (await _redis.StoredAsync(visitor.Handle)).ContainsKey("p29"), "what is older than the delay is in Redis");
        await WriteAsync(60);

        _holder.Kill();

        using var elsewhere = visitor.At(_other.Address);
        var kept = -1;
        await Until.TrueAsync(
            async () =>
            {
                using var response = await elsewhere.TryGetAsync("/keys");
                kept = response.IsSuccessStatusCode ? Kept(await response.Content.ReadAsStringAsync()) : -1;
                return kept >= 0;
            },
            "the other server has the session");
        Assert.InRange(kept, 30, written);

        async Task WriteAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await visitor.GetAsync($"/set/p{written++}/x");
            }
        }

        static int Kept(string keys)
        {
            var numbers = keys.Split(' ').Where(key => key[0] == 'p')
                .Select(key => int.Parse(key[1..], CultureInfo.InvariantCulture)).Order().ToArray();
            Assert.Equal(Enumerable.Range(0, numbers.Length), numbers);
            return numbers.Length;
        }
    }

    [Fact]
    public async Task Sessions_that_Orleans_moves_because_another_server_died_lose_nothing()
    {
        await StartAsync(Long);
        var visitors = await VisitorsAsync(100);
        await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync("/increment/n")));

        // The other server has a part of the directory that finds them.
        _other.Kill();

        foreach (var visitor in visitors)
        {
            await Until.TrueAsync(
                async () =>
                {
                    using var response = await visitor.TryGetAsync("/number/n");
                    Assert.True(!response.IsSuccessStatusCode || await response.Content.ReadAsStringAsync() == "1", "A change is lost.");
                    return response.IsSuccessStatusCode;
                },
                "the session is found again");
        }
    }

    [Fact]
    public async Task What_is_acknowledged_while_Redis_is_dead_is_there_when_it_is_back()
    {
        // As long as Redis takes to come back on a busy machine, and longer.
        await StartAsync("00:00:00.100", "--SessionActors:ServingLease=00:10:00");
        using var visitor = (await VisitorsAsync(1))[0];
        await visitor.GetAsync("/increment/n");

        _redis.Kill();
        await visitor.GetAsync("/increment/n");
        await _redis.RestartAsync();

        await Until.TrueAsync(
            async () => (await _redis.StoredAsync(visitor.Handle)).GetValueOrDefault("n") == "\0\0\0\u0002", "both are in Redis");
        Assert.Equal("2", await visitor.GetAsync("/number/n"));
    }

    public async ValueTask DisposeAsync()
    {
        await _holder.DisposeAsync();
        await _other.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private async Task StartAsync(string delay, params string[] more)
    {
        string[] arguments =
        [
            $"--SessionActors:Redis={_redis.Address}", "--SessionActors:FlushMode=WriteBehind", $"--SessionActors:FlushDelay={delay}",
            .. more,
        ];
        _holder = await AppProcess.StartAsync(Site.App, arguments);
        _other = await AppProcess.StartAsync(Site.App, arguments);
    }

    // A session lives where it was begun.
    private Task<Browser[]> VisitorsAsync(int count) => Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
    {
        var visitor = new Browser(_holder.Address);
        await visitor.GetAsync("/set/start/1");
        return visitor;
    }));
}
