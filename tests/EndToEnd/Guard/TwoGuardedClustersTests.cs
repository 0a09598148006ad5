using System.Globalization;
using System.Net;

namespace SessionActors;

/// <summary>Two clusters of two servers each serve the same sessions at full speed.</summary>
[Collection(nameof(GuardedClusters))]
public sealed class TwoGuardedClustersTests
{
    private const int Sessions = 100;
    private const int WritesEach = 100;

    // One at each server.
    private const int WritersEach = 2;

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Of_twenty_thousand_writes_to_the_same_sessions_none_is_lost(int masters)
    {
        await using var clusters = await GuardedClusters.StartAsync(masters, servers: 2);
        var visitors = new List<(Browser Here, Browser There)>();
        for (var i = 0; i < Sessions; i++)
        {
            visitors.Add(await clusters.NewVisitorAsync(i));
        }

        var refused = await Task.WhenAll(visitors.SelectMany(visitor => (Task<int>[])
            [.. WriteAsync(visitor.Here, clusters.Here, "here"), .. WriteAsync(visitor.There, clusters.There, "there")]));

        foreach (var (here, there) in visitors)
        {
            foreach (var visitor in new[] { here, there })
            {
                // And the one that the session began with.
                Assert.Equal(2 * WritesEach + 1, (await visitor.GetAsync("/keys")).Split(' ').Length);
            }

            Assert.Equal($"{WritesEach / WritersEach - 1}", await here.GetAsync($"/get/there0-{WritesEach / WritersEach - 1}"));
            here.Dispose();
            there.Dispose();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{refused.Sum()} of them were refused first, and done again.");
    }

    [Fact]
    public async Task A_counter_that_both_read_and_write_exclusively_is_exact()
    {
        const int requests = 100;
        await using var clusters = await GuardedClusters.StartAsync(servers: 2);
        var (here, there) = await clusters.NewVisitorAsync();
        Browser[] visitors = [here, there, here.At(clusters.Here[1].Address), here.At(clusters.There[1].Address)];

        await Task.WhenAll(visitors.Select(async visitor =>
        {
            for (var i = 0; i < requests; i++)
            {
                await visitor.InsistAsync("/exclusive/count/n");
            }
        }));

        foreach (var visitor in visitors)
        {
            Assert.Equal($"{visitors.Length * requests}", await visitor.GetAsync("/number/n"));
            visitor.Dispose();
        }
    }

    [Fact]
    public async Task While_one_has_a_session_to_itself_the_other_reads_it_and_does_not_change_it()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");

        Assert.Equal("-", await there.GetAsync("/get/a"));
        using (var shared = await there.TryGetAsync("/set/a/there"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, shared.StatusCode);
            var body = await shared.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("another cluster wrote it, or had it to itself", body, StringComparison.Ordinal);
        }

        var exclusive = there.TryGetAsync("/exclusive/set/b/there");
        using (var page = await held.LetGoAsync())
        {
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }

        using var next = await exclusive;
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        Assert.Equal("here", await there.GetAsync("/get/a"));
        Assert.Equal("there", await here.GetAsync("/get/b"));
    }

    [Fact]
    public async Task A_read_sees_what_was_acknowledged_in_the_other_cluster_before_it_began()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        var reading = new CancellationTokenSource();
        // Others that read the same session all the time, whose questions to the store must not be taken for an answer to ours.
        var others = Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            while (!reading.IsCancellationRequested)
            {
                await (i % 2 == 0 ? here : there).GetAsync("/get/a");
            }
        }));

        for (var i = 0; i < 300; i++)
        {
            var (writer, reader) = i % 2 == 0 ? (here, there) : (there, here);
            await writer.InsistAsync($"/set/a/{i}");

            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), await reader.GetAsync("/get/a"));
        }

        await reading.CancelAsync();
        await others;
    }

    [Fact]
    public async Task A_session_that_was_destroyed_in_one_cluster_is_gone_in_the_other_at_once()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            var (here, there) = await clusters.NewVisitorAsync();
            Assert.Equal("1", await there.GetAsync("/get/start"));
            var cookie = here.SessionCookie;

            await here.GetAsync("/destroy");

            there.SessionCookie = cookie;
            Assert.Equal("-", await there.GetAsync("/get/start"));
        }
    }

    private static IEnumerable<Task<int>> WriteAsync(Browser visitor, AppProcess[] servers, string name) =>
        servers.Select((server, writer) => WriteAsync(visitor, server, $"{name}{writer}-"));

    private static async Task<int> WriteAsync(Browser visitor, AppProcess server, string name)
    {
        using var client = visitor.At(server.Address);
        var refused = 0;
        for (var i = 0; i < WritesEach / WritersEach; i++)
        {
            refused += await client.InsistAsync($"/set/{name}{i}/{i}");
        }

        return refused;
    }
}
