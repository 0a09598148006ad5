using System.Text;

namespace SessionActors;

/// <summary>Exclusive access to one session: whose turn it is, how long it lasts, and what its end does to commits.</summary>
public sealed class LeaseTests
{
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);
    private static readonly TimeSpan LockExpiry = new SessionActorsOptions().LockExpiry;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seekers_have_the_lease_one_after_the_other_in_the_order_they_came()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var (order, tokens) = (new List<int>(), new List<long>());
        var first = await session.AcquireAsync(Stop);

        var seekers = new List<Task>();
        for (var i = 0; i < 64; i++)
        {
            var seeking = session.AcquireAsync(Stop);
            await cluster.WaitingAsync(i + 1);
            seekers.Add(HoldAsync(i, seeking));
        }

        await first.DisposeAsync();
        await Until.Async(Task.WhenAll(seekers), "all seekers have had the lease");

        Assert.Equal(Enumerable.Range(0, 64), order);
        Assert.Equal(tokens.Order().Distinct(), tokens);

        async Task HoldAsync(int number, Task<SessionLease> seeking)
        {
            await using var lease = await seeking;
            order.Add(number);
            tokens.Add(lease.Token);
            await lease.CommitAsync(SessionDelta.Empty.Set("by", Encoding.UTF8.GetBytes($"{number}")));
        }
    }

    [Fact]
    public async Task Waiters_do_not_block_the_release_they_wait_for_and_one_too_many_is_turned_away_at_once()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxWaiters = 256);
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        var seekers = Enumerable.Range(0, 256).Select(async _ =>
        {
            await using var lease = await session.AcquireAsync(Stop);
            return lease.Token;
        }).ToList();
        await cluster.WaitingAsync(256);

        var tooMany = await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => session.AcquireAsync(Stop));
        Assert.False(tooMany.MayWaitOn);
        Assert.Contains("MaxWaiters = 256", tooMany.Message, StringComparison.Ordinal);

        await Until.Async(holder.DisposeAsync().AsTask(), "the release gets through");
        var tokens = await Until.Async(Task.WhenAll(seekers), "all waiters have had the lease");
        Assert.Equal(256, tokens.Distinct().Count());
    }

    [Fact]
    public async Task Commits_of_others_wait_for_the_end_of_the_lease_and_reads_do_not()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lease = await session.AcquireAsync(Stop);

        var shared = session.CommitAsync(SessionDelta.Empty.Set("shared", "1"u8));
        await cluster.WaitingAsync(1);
        Assert.Single((await session.ReadAsync())!.Properties);
        Assert.Equal(2, await lease.CommitAsync(Change));
        Assert.False(shared.IsCompleted);
        await lease.DisposeAsync();

        Assert.Equal(3, await Until.Async(shared, "the commit is stored after the lease"));
    }

    [Fact]
    public async Task The_next_holder_sees_all_that_waited_for_the_end_of_the_lease_before()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var first = await session.AcquireAsync(Stop);
        var shared = session.IncrementAsync("n");
        await cluster.WaitingAsync(1);
        var second = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(2);

        await first.DisposeAsync();

        await using var lease = await Until.Async(second, "the second has the lease");
        Assert.Equal(1, await shared);
        Assert.True(lease.Snapshot.Properties.ContainsKey("n"));
    }

    [Fact]
    public async Task Nothing_that_was_sent_before_lands_under_the_holder()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var shared = session.CommitAsync(Change);
        await gate.ArrivedAsync();

        var seeking = session.AcquireAsync(Stop);
        await session.ReadAsync();
        Assert.False(seeking.IsCompleted);
        gate.Open();

        await using var lease = await Until.Async(seeking, "the lease is granted");
        Assert.Equal(await shared, lease.Snapshot.Version);
    }

    [Fact]
    public async Task Where_it_does_not_block_shared_requests_the_lease_keeps_other_leases_out_only()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.LeaseBlocksShared = false);
        var session = await cluster.NewSessionAsync();
        await using var lease = await session.AcquireAsync(Stop);
        var second = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(1);

        Assert.Equal(2, await Until.Async(session.CommitAsync(Change), "a shared commit passes"));
        Assert.False(second.IsCompleted);

        await lease.DisposeAsync();
        await (await Until.Async(second, "the second has the lease")).DisposeAsync();
    }

    [Fact]
    public async Task A_silent_holder_loses_the_lease_after_LockExpiry_and_its_commit_is_refused_whole()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var silent = (await session.AcquireAsync(null, true, SessionRequest.New())).Lease!;
        var next = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(1);

        cluster.Time.Advance(LockExpiry - TimeSpan.FromMilliseconds(1));
        await session.ReadAsync();
        Assert.False(next.IsCompleted);
        cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
        await using var lease = await Until.Async(next, "the next in line has the lease");

        var late = SessionRequest.New() with { Lease = silent.Id };
        await Assert.ThrowsAsync<SessionLeaseLostException>(() => session.CommitAsync(Change, late));
        Assert.False(await session.RenewAsync(silent.Id));
        Assert.Equal(1, (await session.ReadAsync())!.Version);
        Assert.True(lease.Token > silent.Token);
    }

    [Fact]
    public async Task A_lost_lease_is_lost_even_where_nobody_else_wanted_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lease = (await session.AcquireAsync(null, true, SessionRequest.New())).Lease!;

        cluster.Time.Advance(LockExpiry);

        var late = SessionRequest.New() with { Lease = lease.Id };
        await Assert.ThrowsAsync<SessionLeaseLostException>(() => session.CommitAsync(Change, late));
    }

    [Fact]
    public async Task A_holder_that_renews_keeps_the_lease_up_to_MaxLease()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxLease = TimeSpan.FromSeconds(12));
        var session = await cluster.NewSessionAsync();
        var lease = (await session.AcquireAsync(null, true, SessionRequest.New())).Lease!;

        for (var second = 0; second < 12; second += 4)
        {
            Assert.True(await session.RenewAsync(lease.Id));
            cluster.Time.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.False(await session.RenewAsync(lease.Id));
    }

    [Fact]
    public async Task Repeated_with_the_same_id_a_seeker_keeps_its_place_and_a_holder_its_lease()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var (first, second) = (SessionRequest.New(), SessionRequest.New());
        var granted = (await session.AcquireAsync(null, true, first)).Lease!;
        Assert.Equal(granted.Token, (await session.AcquireAsync(null, true, first)).Lease!.Token);
        var seeking = session.AcquireAsync(null, true, second);
        await cluster.WaitingAsync(1);
        var third = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(2);

        cluster.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => seeking)).MayWaitOn);
        var again = session.AcquireAsync(null, true, second with { WaitedFor = TimeSpan.FromSeconds(2) });
        await cluster.WaitingAsync(2);
        await session.ReleaseAsync(first.Id);

        Assert.NotNull((await Until.Async(again, "the second has the lease")).Lease);
        Assert.False(third.IsCompleted);
        await session.ReleaseAsync(second.Id);
        await (await Until.Async(third, "the third has the lease")).DisposeAsync();
    }

    [Fact]
    public async Task Waiters_who_have_gone_are_passed_over()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(null, true, SessionRequest.New());
        var gone = Enumerable.Range(0, 50).Select(_ => session.AcquireAsync(null, true, SessionRequest.New())).ToArray();
        await cluster.WaitingAsync(50);
        cluster.Time.Advance(TimeSpan.FromSeconds(2));
        foreach (var seeker in gone)
        {
            await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => seeker);
        }

        Assert.True(await session.RenewAsync(holder.Lease!.Id));
        cluster.Time.Advance(TimeSpan.FromSeconds(1.1));
        var alive = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(1);
        await session.ReleaseAsync(holder.Lease.Id);

        await (await Until.Async(alive, "the one who is alive has the lease at once")).DisposeAsync();
    }

    [Fact]
    public async Task A_seeker_that_cancels_leaves_the_queue_at_once()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        using var cancelling = new CancellationTokenSource();
        var cancelled = session.AcquireAsync(cancelling.Token);
        await cluster.WaitingAsync(1);
        var next = session.AcquireAsync(Stop);
        await cluster.WaitingAsync(2);

        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Until.Async(cancelled, "the wait ends"));
        await holder.DisposeAsync();

        await (await Until.Async(next, "the one behind has the lease")).DisposeAsync();
    }

    [Fact]
    public async Task Who_has_waited_for_LeaseWait_is_told_so_and_does_not_get_the_lease_later()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.LeaseWait = TimeSpan.FromSeconds(1));
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        var seeking = session.AcquireAsync(null, true, SessionRequest.New());
        var commit = session.CommitAsync(Change, SessionRequest.New());
        await cluster.WaitingAsync(2);

        cluster.Time.Advance(TimeSpan.FromSeconds(1));

        foreach (var waiting in new Task[] { seeking, commit })
        {
            var over = await Assert.ThrowsAsync<SessionLeaseTimeoutException>(() => waiting);
            Assert.False(over.MayWaitOn);
            Assert.Contains("LeaseWait", over.Message, StringComparison.Ordinal);
        }

        await holder.DisposeAsync();
        await using var next = await Until.Async(session.AcquireAsync(Stop), "the lease is free");
        Assert.Equal(1, next.Snapshot.Version);
    }
}
