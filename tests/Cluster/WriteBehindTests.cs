namespace SessionActors;

/// <summary>What is acknowledged before it is stored, and when it is.</summary>
public sealed class WriteBehindTests
{
    private static readonly TimeSpan Delay = new SessionActorsOptions().FlushDelay;

    [Fact]
    public async Task A_change_is_acknowledged_and_read_at_once_and_stored_after_the_delay()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();

        Assert.Equal(2, await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
        Assert.Equal(3, await session.IncrementAsync("n", 3));
        Assert.Equal("x"u8.ToArray(), (await session.TakeAsync("a"))!.Value.ToArray());
        Assert.True(await session.CompareAndSetAsync("b", null, "y"u8.ToArray()));
        Assert.Equal("y"u8.ToArray(), (await session.GetOrSetAsync("b", "z"u8.ToArray())).ToArray());
        Assert.Equal("z"u8.ToArray(), (await session.GetOrSetAsync("c", "z"u8.ToArray())).ToArray());

        var read = (await session.ReadAsync())!;
        Assert.Equal((null, "y", "z", 6L), (read.GetString("a"), read.GetString("b"), read.GetString("c"), read.Version));
        cluster.Time.Advance(Delay - TimeSpan.FromTicks(1));
        Assert.Equal(0, cluster.Storage.Count("commit"));
        cluster.Time.Advance(TimeSpan.FromTicks(1));
        await cluster.UnstoredAsync(0);
        Assert.Equal(1, cluster.Storage.Count("commit"));
        Assert.Equal(6, (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!.Version);
    }

    [Fact]
    public async Task Changes_of_one_delay_leave_in_one_flush_of_64_at_most()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();

        for (var i = 0; i < Flush.MaxEntries; i++)
        {
            await session.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8));
        }

        cluster.Time.Advance(Delay);
        await cluster.UnstoredAsync(0);
        Assert.Equal(1, cluster.Storage.Count("commit"));

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => session.IncrementAsync("n")));
        cluster.Time.Advance(Delay);
        await cluster.UnstoredAsync(0);
        Assert.Equal(3, cluster.Storage.Count("commit"));
        Assert.Equal(100, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task All_changes_of_one_delay_are_stored_however_they_are_spread_over_it()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        for (var i = 0; i < 100; i++)
        {
            await session.IncrementAsync("n");
            cluster.Time.Advance(Delay / 200);
        }

        cluster.Time.Advance(Delay / 2);

        await cluster.UnstoredAsync(0);
    }

    [Fact]
    public async Task The_delay_counts_from_the_oldest_change_and_begins_anew_with_the_next()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();

        await session.IncrementAsync("n");
        cluster.Time.Advance(Delay * 0.6);
        await session.IncrementAsync("n");
        cluster.Time.Advance(Delay * 0.4);
        await cluster.UnstoredAsync(0);
        Assert.Equal(1, cluster.Storage.Count("commit"));

        await session.IncrementAsync("n");
        cluster.Time.Advance(Delay * 0.9);
        Assert.Equal(1, cluster.Storage.Count("commit"));
        cluster.Time.Advance(Delay * 0.1);
        await cluster.UnstoredAsync(0);
        Assert.Equal(2, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task What_comes_while_a_flush_is_under_way_is_acknowledged_and_waits_for_its_own_delay()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        await session.IncrementAsync("n");
        cluster.Time.Advance(Delay);
        await gate.ArrivedAsync();
        cluster.Time.Advance(Delay / 2);

        Assert.Equal(2, await session.IncrementAsync("n"));

        gate.Open();
        await cluster.UnstoredAsync(1);
        Assert.Equal(1, cluster.Storage.Count("commit"));
        cluster.Time.Advance(Delay);
        await cluster.UnstoredAsync(0);
        Assert.Equal(2, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task A_call_that_is_sent_again_gets_the_same_answer_before_and_after_it_is_stored()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        var (first, second) = (SessionRequest.New(), SessionRequest.New());

        Assert.Equal(1, await session.IncrementAsync("n", 1, first));
        Assert.Equal(2, await session.IncrementAsync("n", 1, second));
        Assert.Equal(1, await session.IncrementAsync("n", 1, first));
        cluster.Time.Advance(Delay);
        await cluster.UnstoredAsync(0);
        Assert.Equal(1, await session.IncrementAsync("n", 1, first));
        await cluster.DeactivateAsync(session);

        Assert.Equal(2, await session.IncrementAsync("n", 1, second with { UnansweredFor = Delay }));
        Assert.Equal(2, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_change_that_changes_nothing_is_told_the_version_that_readers_see_and_writes_nothing()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        Assert.Equal(2, await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));

        cluster.Time.Advance(Delay);
        await cluster.UnstoredAsync(0);
        Assert.Equal(2, (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!.Version);
    }

    [Fact]
    public async Task Past_the_bound_on_bytes_a_change_waits_until_all_before_it_and_it_are_stored()
    {
        await using var cluster = await StartAsync(options => options.MaxPendingBytes = 4096);
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        await session.CommitAsync(SessionDelta.Empty.Set("a", new byte[1500]));
        await session.CommitAsync(SessionDelta.Empty.Set("b", new byte[1500]));

        var third = session.CommitAsync(SessionDelta.Empty.Set("c", new byte[1500]));
        await gate.ArrivedAsync();
        await cluster.StoringAsync(1);
        Assert.False(third.IsCompleted);
        Assert.Null((await session.ReadAsync())!.GetString("c"));
        gate.Open();

        Assert.Equal(4, await third);
        Assert.Equal(4, (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!.Version);
        Assert.Equal(2, cluster.Storage.Count("commit"));
        await session.CommitAsync(SessionDelta.Empty.Set("d", new byte[1500]));
        Assert.Equal(2, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task More_changes_than_MaxWaiters_are_acknowledged_since_nobody_waits_for_them()
    {
        await using var cluster = await StartAsync(options => options.MaxWaiters = 2);
        var session = await cluster.NewSessionAsync();

        for (var i = 1; i <= 10; i++)
        {
            Assert.Equal(i, await session.IncrementAsync("n"));
        }
    }

    [Theory]
    [InlineData("a new secret")]
    [InlineData("a commit under a lease")]
    [InlineData("a lease")]
    public async Task What_must_not_be_lost_waits_for_the_store_and_for_all_that_was_acknowledged_before(string what)
    {
        await using var cluster = await StartAsync(options => options.LeaseBlocksShared = false);
        var session = await cluster.NewSessionAsync(SecretHash.Of("old"u8));
        var lease = what == "a commit under a lease" ? await session.AcquireAsync(TestContext.Current.CancellationToken) : null;
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        var gate = cluster.Storage.Hold("commit");

        Task call = what switch
        {
            "a new secret" => session.RegenerateAsync(SecretHash.Of("new"u8), SessionRequest.New()),
            "a commit under a lease" => lease!.CommitAsync(SessionDelta.Empty.Set("b", "y"u8)),
            _ => session.AcquireAsync(null, true, SessionRequest.New()),
        };
        await gate.ArrivedAsync();
        // An answer that was on its way has come by now.
        await session.ReadAsync();
        Assert.False(call.IsCompleted);
        gate.Open();
        await Until.Async(call, $"{what} is answered");

        Assert.Equal(what == "a lease" ? 2 : 3, (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!.Version);
        Assert.Equal(what == "a lease" ? 1 : 2, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task A_change_behind_one_that_waits_for_the_store_waits_too()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync(SecretHash.Of("old"u8));
        var gate = cluster.Storage.Hold("commit");
        var rotation = session.RegenerateAsync(SecretHash.Of("new"u8), SessionRequest.New());
        await gate.ArrivedAsync();

        var behind = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await cluster.StoringAsync(2);
        Assert.False(behind.IsCompleted);
        gate.Open();

        Assert.Equal((2, 3), (await rotation, await behind));
        Assert.Equal(3, (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!.Version);
    }

    [Fact]
    public async Task A_destroy_drops_what_is_not_stored_and_nothing_writes_it_afterwards()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        await session.DestroyAsync();

        await cluster.UnstoredAsync(0);
        cluster.Time.Advance(Delay);
        Assert.Null(await session.ReadAsync());
        Assert.Equal(0, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task A_session_that_leaves_memory_stores_what_it_has()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", 41);

        await cluster.DeactivateAsync(session);

        var mark = (await cluster.Storage.PeekAsync(HandleOf(session))).Mark!;
        Assert.Equal((2, true), (mark.Version, mark.Released));
        Assert.Equal(41, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_change_written_behind_is_no_activity_when_it_is_stored()
    {
        await using var cluster = await StartAsync(
            options => (options.Ttl, options.FlushDelay) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20)));
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n");
        cluster.Time.Advance(TimeSpan.FromSeconds(20));
        await cluster.UnstoredAsync(0);

        cluster.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(await session.ReadAsync());
    }

    internal static Task<SessionCluster> StartAsync(Action<SessionActorsOptions>? configure = null, short silos = 1) =>
        SessionCluster.StartAsync(silos, options =>
        {
            options.FlushMode = FlushMode.WriteBehind;
            configure?.Invoke(options);
        });

    internal static SessionHandle HandleOf(ISessionGrain session) => SessionHandle.Parse(session.GetPrimaryKeyString());
}
