namespace SessionActors;

public sealed class GroupCommitTests
{
    [Fact]
    public async Task Commits_that_arrive_while_a_flush_is_under_way_leave_together()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(SessionDelta.Empty.Set("p0", "x"u8));
        await gate.ArrivedAsync();
        var others = Enumerable.Range(1, 60).Select(i => session.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8))).ToArray();

        await cluster.StoringAsync(61);
        // No flush is needed for it.
        var during = await session.ReadAsync();
        gate.Open();
        await first;
        await Task.WhenAll(others);

        Assert.Single(during!.Properties);
        Assert.Equal(61 + 1, (await session.ReadAsync())!.Properties.Count);
        Assert.Equal(2, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task Two_hundred_parallel_sets_of_distinct_properties_are_all_there()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => session.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8))));

        var snapshot = await session.ReadAsync();
        Assert.Equal(201, snapshot!.Properties.Count);
        Assert.Equal(201, snapshot.Version);
    }

    [Fact]
    public async Task A_commit_that_changes_nothing_writes_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        var version = await session.CommitAsync(SessionDelta.Empty.Set("first", "1"u8).Remove("never there"));

        Assert.Equal(1, version);
        Assert.Equal(0, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task A_new_session_costs_one_step()
    {
        await using var cluster = await SessionCluster.StartAsync();

        await cluster.NewSessionAsync();

        Assert.Equal(1, cluster.Storage.Count("create"));
        Assert.Equal(0, cluster.Storage.Count("claim"));
    }

    [Fact]
    public async Task More_callers_than_MaxWaiters_are_turned_away_and_the_others_served()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxWaiters = 4);
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(SessionDelta.Empty.Set("p0", "x"u8));
        await gate.ArrivedAsync();

        var others = Enumerable.Range(1, 6).Select(i => session.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8))).ToArray();
        await Until.TrueAsync(() => others.Count(task => task.IsCompleted) == 2, "two are turned away");
        gate.Open();
        await first;
        await Task.WhenAll(others).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.Equal(4, others.Count(task => task.IsCompletedSuccessfully));
        var refused = others.Where(task => task.IsFaulted).Select(task => task.Exception!.InnerException).ToArray();
        Assert.All(refused, e => Assert.IsType<SessionUnavailableException>(e));
        Assert.All(refused, e => Assert.Contains("MaxWaiters = 4", e!.Message, StringComparison.Ordinal));
        Assert.Equal(2, refused.Length);
    }

    [Fact]
    public async Task A_commit_behind_a_flush_that_makes_the_same_change_waits_for_it_and_writes_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        var same = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await cluster.StoringAsync(2);
        Assert.False(same.IsCompleted);

        gate.Open();

        Assert.Equal((2, 2), (await first, await same));
        Assert.Equal(1, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task Changes_and_commits_that_change_nothing_leave_together_and_only_changes_count()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        Task<long>[] others =
        [
            session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)), session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8)),
            session.CommitAsync(SessionDelta.Empty.Set("first", "1"u8)), session.CommitAsync(SessionDelta.Empty.Set("c", "x"u8)),
        ];
        await cluster.StoringAsync(1 + others.Length);

        gate.Open();
        await first;
        var versions = await Task.WhenAll(others);

        Assert.Equal(new HashSet<long> { 3, 4 }, [versions[1], versions[3]]);
        Assert.Equal(2, cluster.Storage.Count("commit"));
        await cluster.DeactivateAsync(session);
        Assert.Equal(4, (await session.ReadAsync())!.Version);
    }
}
