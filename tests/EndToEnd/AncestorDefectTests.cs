using System.Net;

namespace SessionActors;

/// <summary>The eight defects of connect-smart-redis, each as a test that they are not here.</summary>
[Collection(nameof(Site))]
public sealed class AncestorDefectTests(Site site, TwoClusters clusters) : IClassFixture<TwoClusters>
{
    [Fact]
    public async Task A_read_only_request_after_a_destroy_does_not_overwrite_the_tombstone_and_let_an_older_request_revive_the_session()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;
        var older = await visitor.HoldAsync("set", "late", "x");
        var reader = await visitor.HoldAsync("read", "user");
        using var stale = new Browser(site.Second.Address) { SessionCookie = visitor.SessionCookie };

        await visitor.GetAsync("/destroy");
        using var read = await reader.LetGoAsync();
        Assert.Equal("-", await stale.GetAsync("/read-only/user"));
        using var response = await older.LetGoAsync();

        Assert.Equal(new Dictionary<string, string> { ["@ended"] = "destroyed" }, await site.StoredAsync(handle));
    }

    [Fact]
    public async Task DeleteExpiry_is_not_taken_for_another_unit_so_that_a_tombstone_of_5_s_stays_for_hours()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var handle = visitor.Handle;

        await visitor.GetAsync("/destroy");

        // 5 s by default, and at least until no create can come any more.
        var left = await (await site.Redis.DatabaseAsync()).KeyTimeToLiveAsync(SiteRedis.KeyOf(handle));
        Assert.InRange(left!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_session_that_is_read_and_never_changed_slides()
    {
        await using var app = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={clusters.Redis.Address}", "--SessionActors:ClusterId=sliding",
            "--SessionActors:Ttl=01:00:00", "--SessionActors:TouchInterval=00:00:00.1");
        using var visitor = new Browser(app.Address);
        await visitor.GetAsync("/set/user/ann");
        var database = await clusters.Redis.DatabaseAsync();
        var key = SiteRedis.KeyOf(visitor.Handle);
        // As if the hour were nearly over.
        await database.KeyExpireAsync(key, TimeSpan.FromMinutes(1));

        await Until.TrueAsync(
            async () =>
            {
                await visitor.GetAsync("/get/user");
                return await database.KeyTimeToLiveAsync(key) > TimeSpan.FromMinutes(59);
            },
            "reading has renewed the time-out in Redis");
    }

    [Fact]
    public async Task A_change_inside_an_object_in_an_array_is_seen()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/basket/add/tea");
        await visitor.GetAsync("/basket/add/milk");

        await visitor.GetAsync("/basket/add/tea");

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal("tea:2 milk:1", await elsewhere.GetAsync("/basket"));
    }

    [Fact]
    public async Task A_change_inside_an_object_in_an_array_is_seen_and_sent_and_overwrites_no_other_one_in_the_same_array()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/nested/new");
        var older = await visitor.HoldAsync(gate => $"/nested/{gate}/quantity?value=7&index=2&caught=false");

        var newer = await visitor.HoldAsync(gate => $"/nested/{gate}/quantity?value=5&index=0&caught=false");
        using var changed = await newer.LetGoAsync();
        using var changedToo = await older.LetGoAsync();

        using var elsewhere = visitor.At(site.Second.Address);
        Assert.Equal("tea:5 milk:1 jam:7 - Main Street", await elsewhere.GetAsync("/nested"));
    }

    [Fact]
    public async Task A_patch_onto_a_removed_parent_is_refused_as_a_conflict_and_leaves_nothing_held()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/nested/new");
        var patch = await visitor.HoldAsync(gate => $"/nested/{gate}/street?value=Side+Street&index=0&caught=true");
        var removal = await visitor.HoldAsync(gate => $"/nested/{gate}/no-address?index=0&caught=false");
        using var removed = await removal.LetGoAsync();

        using var response = await patch.LetGoAsync();

        Assert.Equal("conflict over cart", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await visitor.GetAsync("/set/next/y");
        Assert.Equal("y", await visitor.GetAsync("/get/next"));
        Assert.Equal("tea:1 milk:1 jam:1 - -", await visitor.GetAsync("/nested"));
    }

    [Theory]
    [InlineData("/remove/parent")]
    [InlineData("/clear")]
    [InlineData("/destroy")]
    public async Task A_change_to_what_was_removed_meanwhile_neither_crashes_nor_leaves_anything_held(string meanwhile)
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/parent/x");
        var patch = await visitor.HoldAsync("set", "parent", "patched");

        await visitor.GetAsync(meanwhile);
        using var response = await patch.LetGoAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(meanwhile == "/destroy" ? "-" : "patched", await visitor.GetAsync("/get/parent"));
        await visitor.GetAsync("/set/next/y");
        Assert.Equal("y", await visitor.GetAsync("/get/next"));
    }

    [Fact]
    public async Task Giving_a_session_back_does_not_take_it_from_whoever_has_it_by_then()
    {
        await using var leaving = await clusters.StartClusterAsync("leaving");
        using var visitor = new Browser(leaving.Address);
        await visitor.GetAsync("/set/user/ann");
        using var elsewhere = visitor.At(clusters.First.Address);
        await elsewhere.GetAsync("/set/basket/tea");
        var owned = await clusters.Redis.StoredAsync(visitor.Handle);

        // It still has the session in memory, and gives back all it has when it stops.
        await leaving.StopAsync();

        Assert.Equal(owned, await clusters.Redis.StoredAsync(visitor.Handle));
        Assert.DoesNotContain("@released", owned.Keys);
        await elsewhere.GetAsync("/set/basket/milk");
        Assert.Equal(owned["@owner"], (await clusters.Redis.StoredAsync(visitor.Handle))["@owner"]);
    }

    [Fact]
    public async Task Whoever_waits_for_a_store_that_does_not_answer_gives_up_and_says_so()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var app = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={redis.Address}");
        using var visitor = new Browser(app.Address);
        await visitor.GetAsync("/set/user/ann");
        await redis.PauseAsync();

        using var response = await visitor.TryGetAsync("/set/user/bob");

        await redis.ResumeAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.Contains("Retry-After"));
    }

    [Fact]
    public async Task Two_servers_that_know_nothing_of_each_other_do_not_overwrite_each_other()
    {
        using var first = new Browser(clusters.First.Address);
        await first.GetAsync("/set/start/1");
        using var second = first.At(clusters.Second.Address);

        await Task.WhenAll(SetAsync(first, "a"), SetAsync(second, "b"));

        var stored = await clusters.Redis.StoredAsync(first.Handle);
        Assert.Equal(41, stored.Keys.Count(field => !field.StartsWith('@')));

        static async Task SetAsync(Browser visitor, string name)
        {
            for (var i = 0; i < 20; i++)
            {
                await visitor.GetAsync($"/set/{name}{i}/x");
            }
        }
    }
}
