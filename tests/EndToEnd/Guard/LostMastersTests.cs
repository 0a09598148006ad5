using System.Net;

namespace SessionActors;

/// <summary>Lock masters die, hang, forget and come back, while two clusters write.</summary>
[Collection(nameof(GuardedClusters))]
public sealed class LostMastersTests
{
    [Fact]
    public async Task With_one_of_three_masters_killed_both_clusters_write_on()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();

        clusters.Masters[0].Kill();

        for (var i = 0; i < 50; i++)
        {
            await here.InsistAsync($"/set/here{i}/{i}");
            await there.InsistAsync($"/set/there{i}/{i}");
        }

        Assert.Equal(101, (await here.GetAsync("/keys")).Split(' ').Length);
        Assert.Equal(HttpStatusCode.OK, await here.StatusOfAsync("/exclusive/count/n"));
    }

    [Fact]
    public async Task With_two_of_three_masters_killed_writes_are_refused_reads_go_on_and_all_goes_on_when_they_return()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        await here.GetAsync("/set/a/before");

        clusters.Masters[0].Kill();
        clusters.Masters[1].Kill();

        using (var refused = await here.TryGetAsync("/set/a/lost"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            var body = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("SessionActors:CrossCluster:Redlock", body, StringComparison.Ordinal);
            Assert.Contains("Nothing was changed", body, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await there.StatusOfAsync("/exclusive/count/n"));
        using (var stranger = new Browser(here.Address))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await stranger.StatusOfAsync("/set/a/1"));
        }

        foreach (var visitor in new[] { here, there })
        {
            Assert.Equal("before", await visitor.GetAsync("/get/a"));
        }

        await clusters.Masters[0].RestartAsync();
        await clusters.Masters[1].RestartAsync();
        await there.InsistAsync("/set/a/after");
        await here.InsistAsync("/exclusive/count/n");

        Assert.Equal("after", await here.GetAsync("/get/a"));
        Assert.Equal("1", await there.GetAsync("/number/n"));
    }

    [Fact]
    public async Task With_one_of_three_masters_stopped_in_its_tracks_both_clusters_write_on()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        await there.GetAsync("/set/theirs/1");

        await clusters.Masters[1].PauseAsync();

        for (var i = 0; i < 50; i++)
        {
            await here.InsistAsync($"/set/here{i}/{i}");
            await there.InsistAsync($"/set/there{i}/{i}");
        }

        await clusters.Masters[1].ResumeAsync();
        await here.InsistAsync("/set/after/1");
        Assert.Equal(103, (await there.GetAsync("/keys")).Split(' ').Length);
    }

    [Fact]
    public async Task With_two_of_three_masters_stopped_in_their_tracks_writes_are_refused_until_they_go_on()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();

        await clusters.Masters[0].PauseAsync();
        await clusters.Masters[1].PauseAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await here.StatusOfAsync("/set/a/lost"));
        Assert.Equal("1", await there.GetAsync("/get/start"));
        await clusters.Masters[0].ResumeAsync();
        await clusters.Masters[1].ResumeAsync();
        await there.InsistAsync("/set/a/after");
        Assert.Equal("after", await here.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_master_that_comes_back_empty_while_a_lock_is_held_lets_nobody_in()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");

        await clusters.Masters[2].RestartAsync();

        var waiting = there.TryGetAsync("/exclusive/set/a/there");
        Assert.NotNull(await GuardedClusters.LockAsync(clusters.Masters[0], here.Handle));
        using var page = await held.LetGoAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        using var next = await waiting;
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        Assert.Equal("there", await here.GetAsync("/get/a"));
    }
}
