namespace SessionActors;

public sealed class UnansweredWriteTests
{
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_sent_again_and_applied_once()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lost = 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "commit" && lost++ < 3 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        var sum = await cluster.MoveTimeAsync(session.IncrementAsync("n"));

        Assert.Equal(1, sum);
        Assert.Equal(4, cluster.Storage.Count("commit"));
        Assert.Equal(2, (await session.ReadAsync())!.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_that_is_never_answered_is_unknown_and_the_next_read_is_the_truth(bool executed)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = async (step, run) =>
        {
            if (step != "commit")
            {
                return await run();
            }

            _ = executed ? await run() : default;
            return new StoreReply(StoreOutcome.Unknown);
        };

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(session.CommitAsync(Change)));

        Assert.True(error.MayBeApplied);
        cluster.Storage.OnStep = null;
        Assert.Equal(executed ? "x" : null, (await session.ReadAsync())!.GetString("a"));
        Assert.Equal(1, cluster.Storage.Count("claim"));
    }

    [Theory]
    [InlineData(StoreOutcome.Unsent)]
    [InlineData(StoreOutcome.Refused)]
    internal async Task A_write_that_never_reached_the_store_is_not_applied_and_memory_stays_good(StoreOutcome outcome)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = (step, run) =>
            step == "commit" ? Task.FromResult(new StoreReply(outcome, Error: new IOException("no room"))) : run();

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(session.CommitAsync(Change)));
        var meanwhile = await session.ReadAsync();
        cluster.Storage.OnStep = null;
        await session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));

        Assert.False(error.MayBeApplied);
        Assert.Equal(1, meanwhile!.Version);
        var after = await session.ReadAsync();
        Assert.Equal((null, "y"), (after!.GetString("a"), after.GetString("b")));
        Assert.Equal(0, cluster.Storage.Count("claim"));
    }

    [Fact]
    public async Task What_waits_behind_an_unknown_write_finds_the_next_activation()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var hasty = session.CommitAsync(Change, SessionRequest.New() with { Patience = TimeSpan.FromMilliseconds(1) });
        await gate.ArrivedAsync();
        var patient = session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));
        await cluster.StoringAsync(2);
        cluster.Storage.OnStep = null;
        cluster.Time.Advance(TimeSpan.FromMilliseconds(2));

        // The held step goes on into a store that swallows its answer.
        cluster.Storage.OnStep = async (_, run) => await run();
        gate.Open();
        await hasty.ContinueWith(_ => { }, TaskScheduler.Default);
        await patient;

        Assert.Equal("y", (await session.ReadAsync())!.GetString("b"));
    }

    [Fact]
    public async Task A_change_that_waited_longer_than_its_caller_is_never_applied()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(Change);
        await gate.ArrivedAsync();
        var overdue = session.CommitAsync(
            SessionDelta.Empty.Set("late", "x"u8), SessionRequest.New() with { Patience = TimeSpan.FromMilliseconds(10) });
        var behind = session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));
        await cluster.StoringAsync(3);

        cluster.Time.Advance(TimeSpan.FromMilliseconds(11));
        gate.Open();

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => overdue);
        Assert.False(error.MayBeApplied);
        await first;
        await behind;
        var snapshot = await session.ReadAsync();
        Assert.Equal((null, "x", "y"), (snapshot!.GetString("late"), snapshot.GetString("a"), snapshot.GetString("b")));
    }

    [Fact]
    public async Task Who_joins_a_claim_under_way_is_not_refused_at_the_end_of_somebody_elses_patience()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        await cluster.DeactivateAsync(session);
        var gate = new StepGate();
        cluster.Storage.OnStep = async (_, _) =>
        {
            await gate.PassAsync();
            return new StoreReply(StoreOutcome.Unsent);
        };
        var first = session.ReadAsync().AsTask();
        await gate.ArrivedAsync();
        var arrived = cluster.Arrived(nameof(ISessionGrain.ReadAsync));
        var second = session.ReadAsync().AsTask();
        await cluster.ArrivedAsync(nameof(ISessionGrain.ReadAsync), arrived + 1);

        cluster.Time.Advance(SessionRequest.DefaultPatience);
        gate.Open();

        Assert.False((await Assert.ThrowsAsync<SessionUnavailableException>(() => first)).Moved);
        Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(() => second)).Moved);
    }

    [Fact]
    public async Task A_read_never_shows_what_the_store_has_not_confirmed()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var commit = session.CommitAsync(Change);
        await gate.ArrivedAsync();

        var during = await session.ReadAsync();
        gate.Open();
        await commit;

        Assert.Null(during!.GetString("a"));
        Assert.Equal("x", (await session.ReadAsync())!.GetString("a"));
    }
}
