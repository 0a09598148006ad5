using System.Net;

namespace SessionActors;

/// <summary>
/// What a Redlock cannot promise, made to happen: a lock that expires under its holder, a holder that is paused, masters whose clocks run
/// away. Both clusters have "the lock" then, and the fence decides: no change is overwritten by one that has not seen it.
/// </summary>
[Collection(nameof(GuardedClusters))]
public sealed class BrokenGuardTests
{
    [Fact]
    public async Task A_holder_paused_past_expiry_that_wakes_up_overwrites_nothing()
    {
        await using var clusters = await GuardedClusters.StartAsync(arguments: "--SessionActors:LockExpiry=00:00:01");
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");
        clusters.Here[0].Pause();
        await there.InsistAsync("/exclusive/set/a/there");

        clusters.Here[0].Resume();

        // Its silo may find itself declared dead and end; else its page is refused.
        Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(held));
        Assert.Equal("there", await there.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_holder_killed_with_the_guard_in_its_hand_keeps_others_out_for_its_life_only()
    {
        await using var clusters = await GuardedClusters.StartAsync(arguments: "--SessionActors:LockExpiry=00:00:01");
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");

        clusters.Here[0].Kill();

        await there.InsistAsync("/exclusive/set/a/there");
        await Assert.ThrowsAsync<HttpRequestException>(held.LetGoAsync);
        Assert.Equal("there", await there.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_change_of_a_paused_holder_is_applied_to_what_the_other_has_stored()
    {
        await using var clusters = await GuardedClusters.StartAsync(arguments: "--SessionActors:LockExpiry=00:00:01");
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync("set", "a", "here");
        clusters.Here[0].Pause();
        await there.InsistAsync("/set/b/there");

        clusters.Here[0].Resume();

        var answer = await StatusAsync(held);
        Assert.Equal("there", await there.GetAsync("/get/b"));
        // One that was not answered may be stored all the same.
        var stored = await there.GetAsync("/get/a");
        Assert.True(stored == "here" || (stored == "-" && answer != HttpStatusCode.OK), $"Answered {answer}, stored '{stored}'.");
    }

    [Fact]
    public async Task With_locks_that_vanish_all_the_time_both_clusters_hold_the_guard_and_no_change_is_lost()
    {
        const int writes = 200;
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        using var enough = new CancellationTokenSource();
        // What a master whose clock jumps ahead does: every lock expires at once.
        var clocks = Task.WhenAll(clusters.Masters.Select(async master =>
        {
            var database = await master.DatabaseAsync();
            while (!enough.IsCancellationRequested)
            {
                await database.KeyDeleteAsync(GuardedClusters.KeyOf(here.Handle));
            }
        }));

        await Task.WhenAll(
            WriteAsync(here, "here"), WriteAsync(there, "there"), CountAsync(here), CountAsync(there));

        await enough.CancelAsync();
        await clocks;
        foreach (var visitor in new[] { here, there })
        {
            Assert.Equal($"{2 * writes}", await visitor.GetAsync("/number/n"));
            Assert.Equal(2 * writes + 2, (await visitor.GetAsync("/keys")).Split(' ').Length);
        }

        static async Task WriteAsync(Browser visitor, string name)
        {
            for (var i = 0; i < writes; i++)
            {
                await visitor.InsistAsync($"/set/{name}{i}/{i}");
            }
        }

        static async Task CountAsync(Browser visitor)
        {
            for (var i = 0; i < writes; i++)
            {
                await visitor.InsistAsync("/exclusive/count/n");
            }
        }
    }

    [Fact]
    public async Task A_lock_taken_from_its_holder_gives_both_clusters_the_session_and_the_first_to_commit_keeps_it()
    {
        await using var clusters = await GuardedClusters.StartAsync();
        var (here, there) = await clusters.NewVisitorAsync();
        var first = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");
        foreach (var master in clusters.Masters)
        {
            await (await master.DatabaseAsync()).KeyDeleteAsync(GuardedClusters.KeyOf(here.Handle));
        }

        var second = await there.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=there");

        using (var page = await second.LetGoAsync())
        {
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }

        using var late = await first.LetGoAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.StatusCode);
        Assert.Equal("there", await here.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Shared_commits_that_need_not_wait_for_a_lease_come_in_from_the_other_cluster_and_cost_the_holder_its_lease()
    {
        await using var clusters = await GuardedClusters.StartAsync(arguments: "--SessionActors:LeaseBlocksShared=false");
        var (here, there) = await clusters.NewVisitorAsync();
        var held = await here.HoldAsync(gate => $"/exclusive/hold/{gate}?name=a&value=here");

        Assert.Equal("set", await there.GetAsync("/set/b/there"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(held));
        Assert.Equal("there", await here.GetAsync("/get/b"));
        Assert.Equal("-", await there.GetAsync("/get/a"));
        Assert.Equal("set", await there.GetAsync("/exclusive/set/a/there"));
    }

    private static async Task<HttpStatusCode?> StatusAsync(HeldRequest held)
    {
        try
        {
            using var answer = await held.LetGoAsync();
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
