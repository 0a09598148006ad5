namespace SessionActors;

/// <summary>Somebody who seeks a lease gives up, at every point of the way: the next one has it, at once.</summary>
public sealed class CancelledLeaseTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_it_was_sent()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.AcquireAsync(new CancellationToken(canceled: true)));

        await AssertFreeAsync(session);
    }

    [Fact]
    public async Task While_it_waits_for_others()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        using var cancelling = new CancellationTokenSource();
        var cancelled = session.AcquireAsync(cancelling.Token);
        await cluster.WaitingAsync(1);

        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Until.Async(cancelled, "the wait ends"));
        await cluster.WaitingAsync(0);
        await holder.DisposeAsync();
        await AssertFreeAsync(session);
    }

    [Fact]
    public async Task Between_two_of_its_calls()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        var request = SessionRequest.New();
        var call = session.AcquireAsync(null, true, request);
        await cluster.WaitingAsync(1);
        cluster.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => call)).MayWaitOn);

        await session.ReleaseAsync(request.Id);

        await holder.DisposeAsync();
        await AssertFreeAsync(session);
    }

    [Fact]
    public async Task When_it_has_the_lease_and_waits_for_what_was_sent_before_to_be_stored()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var before = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        using var cancelling = new CancellationTokenSource();
        var cancelled = session.AcquireAsync(cancelling.Token);
        var next = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(1);

        await cancelling.CancelAsync();
        gate.Open();

        await before;
        await Task.WhenAny(cancelled);
        // Which of the two came first is chance; the other one has it in any case.
        await (await Until.Async(next, "the other has the lease")).DisposeAsync();
        if (cancelled.IsCompletedSuccessfully)
        {
            await (await cancelled).DisposeAsync();
        }

        await AssertFreeAsync(session);
    }

    [Fact]
    public async Task When_it_was_told_that_it_has_the_lease_nothing_is_cancelled_any_more()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        using var cancelling = new CancellationTokenSource();
        await using var lease = await session.AcquireAsync(cancelling.Token);

        await cancelling.CancelAsync();

        Assert.Equal(2, await lease.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
    }

    private static async Task AssertFreeAsync(ISessionGrain session)
    {
        await using var lease = await Until.Async(session.AcquireAsync(Stop), "the lease is free");
        Assert.True(await session.RenewAsync(lease.Id));
    }
}
