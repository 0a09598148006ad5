namespace SessionActors;

/// <summary>Commits that wait for the end of somebody else's lease, and what their callers are told.</summary>
public sealed class HeldWriteTests
{
    // A call waits so long before its caller is asked whether it still does.
    private static readonly TimeSpan Slice = new LeaseTimes(new SessionActorsOptions().LockExpiry, TimeSpan.MaxValue).Slice;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sent_again_while_it_is_stored_it_does_not_wait_for_the_next_lease()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var first = await session.AcquireAsync(Stop);
        var request = await HeldForASliceAsync(cluster, session);
        var second = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(1);
        var gate = cluster.Storage.Hold("commit");
        await first.DisposeAsync();
        await gate.ArrivedAsync();

        var again = session.IncrementAsync("n", 1, request);
        await session.ReadAsync();
        gate.Open();

        await using var lease = await Until.Async(second, "the next in line has the lease");
        Assert.Equal(1, await Until.Async(again, "the change is answered while somebody else has the lease"));
    }

    [Fact]
    public async Task Sent_again_when_too_much_has_changed_since_it_is_not_applied_twice()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var first = await session.AcquireAsync(Stop);
        var request = await HeldForASliceAsync(cluster, session);
        await first.DisposeAsync();
        await Until.TrueAsync(async () => (await session.ReadAsync())!.Properties.ContainsKey("n"), "the change is stored");
        await ChangeOftenAsync(session);
        await using var second = await session.AcquireAsync(Stop);

        var unknown = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => Until.Async(session.IncrementAsync("n", 1, request), "the change is answered"));

        Assert.True(unknown.MayBeApplied);
    }

    [Fact]
    public async Task Sent_again_to_a_session_out_of_reach_nobody_is_told_that_it_was_not_applied()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var first = await session.AcquireAsync(Stop);
        var request = await HeldForASliceAsync(cluster, session);
        await first.DisposeAsync();
        await Until.TrueAsync(async () => (await session.ReadAsync())!.Properties.ContainsKey("n"), "the change is stored");
        await cluster.DeactivateAsync(session);
        cluster.Storage.OnStep = (step, run) => step == "claim" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();

        var unknown = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.IncrementAsync("n", 1, request)));

        Assert.True(unknown.MayBeApplied);
    }

    [Fact]
    public async Task Where_shared_commits_do_not_wait_a_stream_of_them_keeps_nobody_from_the_lease()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.LeaseBlocksShared = false);
        var session = await cluster.NewSessionAsync();
        var (isBusy, commits) = (true, new List<Task>());
        cluster.Storage.OnStep = async (step, run) =>
        {
            if (step == "commit" && Volatile.Read(ref isBusy))
            {
                commits.Add(session.IncrementAsync("n"));
                // It waits for the store or for the lease.
                await cluster.ArrivedAsync(2);
            }

            return await run();
        };
        var begun = session.IncrementAsync("n");
        await Until.TrueAsync(() => cluster.Storage.Count("commit") > 2, "one commit follows the other");

        var lease = await Until.Async(session.AcquireAsync(Stop), "the lease is granted");
        Assert.True(lease.Snapshot.Properties.ContainsKey("n"));
        await lease.DisposeAsync();

        Volatile.Write(ref isBusy, false);
        await begun;
        await Until.Async(Task.WhenAll(commits), "all commits are stored");
    }

    // Its caller has come once and is to come again.
    private static async Task<SessionRequest> HeldForASliceAsync(SessionCluster cluster, ISessionGrain session)
    {
        var request = SessionRequest.New();
        var call = session.IncrementAsync("n", 1, request);
        await cluster.WaitingAsync(1);
        cluster.Time.Advance(Slice);
        Assert.True((await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => call)).MayWaitOn);
        return request with { WaitedFor = Slice };
    }

    private static async Task ChangeOftenAsync(ISessionGrain session)
    {
        for (var i = 0; i < ISessionStorage.RingSize; i++)
        {
            await session.IncrementAsync("m");
        }
    }
}
