using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>What becomes of a lease when the session ends, moves, or was somebody else's meanwhile.</summary>
public sealed class LostLeaseTests
{
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_under_a_lease_is_refused_after_the_session_moved_and_later_tokens_are_higher()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await using var lease = await session.AcquireAsync(Stop);

        await cluster.DeactivateAsync(session);

        await Assert.ThrowsAsync<SessionLeaseLostException>(() => lease.CommitAsync(Change));
        await using var next = await session.AcquireAsync(Stop);
        Assert.True(next.Token > lease.Token);
        Assert.Equal(1, next.Snapshot.Version);
    }

    [Fact]
    public async Task A_commit_under_a_lease_is_refused_after_another_cluster_had_the_session()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var two = await SessionCluster.StartAsync(storage, time, clusterId: "two");
        var handle = SessionHandle.New();
        var (here, there) = (await one.NewSessionAsync(handle: handle), two.Session(handle));
        await using var lease = await here.AcquireAsync(Stop);
        await there.CommitAsync(SessionDelta.Empty.Set("theirs", "x"u8));
        var waiting = here.AcquireAsync(Stop);
        await one.WaitingAsync(1);

        await Assert.ThrowsAsync<SessionLeaseLostException>(() => one.MoveTimeAsync(lease.CommitAsync(Change)));

        await using var next = await Until.Async(waiting, "the next in line has the lease");
        Assert.Equal(2, next.Snapshot.Version);
        Assert.True(next.Token > lease.Token);
    }

    [Fact]
    public async Task Those_who_wait_are_told_when_the_session_is_destroyed()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var holder = await session.AcquireAsync(Stop);
        var seeking = session.AcquireAsync(Stop);
        var commit = session.CommitAsync(Change);
        await cluster.WaitingAsync(2);

        await session.DestroyAsync();

        foreach (var waiting in new Task[] { seeking, commit, holder.CommitAsync(Change) })
        {
            var ended = await Assert.ThrowsAsync<SessionDestroyedException>(() => Until.Async(waiting, "a waiter is told"));
            Assert.Equal(SessionEndReason.Destroyed, ended.Reason);
        }
    }

    [Fact]
    public async Task An_old_secret_neither_stands_in_the_queue_nor_gets_the_lease()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (secret, newSecret) = (SecretHash.Of("old"u8), SecretHash.Of("new"u8));
        var session = await cluster.NewSessionAsync(secret);
        var holder = await session.AcquireAsync(Stop);
        var seeking = session.AcquireAsync(secret, true, SessionRequest.New());
        await cluster.WaitingAsync(1);
        await session.RegenerateAsync(newSecret, holder.NewRequest());

        var old = await session.AcquireAsync(secret, true, SessionRequest.New());
        Assert.Equal((SessionStanding.Superseded, null), (old.Standing, old.Lease));
        await holder.DisposeAsync();

        var opening = await Until.Async(seeking, "the one that waited with the old secret is answered");
        Assert.Equal((SessionStanding.Superseded, null), (opening.Standing, opening.Lease));
        Assert.NotNull((await Until.Async(session.AcquireAsync(newSecret, true, SessionRequest.New()), "the lease is free")).Lease);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_keeps_its_answer_when_its_lease_is_gone()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lease = await session.AcquireAsync(Stop);
        var request = lease.NewRequest();
        var version = await session.CommitAsync(Change, request);
        await lease.DisposeAsync();

        Assert.Equal(version, await session.CommitAsync(Change, request));
        await Assert.ThrowsAsync<SessionLeaseLostException>(() => session.CommitAsync(Change, lease.NewRequest()));
    }

    [Fact]
    public async Task A_commit_that_may_have_been_stored_is_not_told_otherwise_when_its_lease_is_gone()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lease = await session.AcquireAsync(Stop);
        var request = lease.NewRequest();
        await session.CommitAsync(Change, request);
        await lease.DisposeAsync();
        for (var i = 0; i < ISessionStorage.RingSize; i++)
        {
            await session.IncrementAsync("n");
        }

        var unknown = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => session.CommitAsync(Change, request with { UnansweredFor = TimeSpan.FromSeconds(1) }));

        Assert.True(unknown.MayBeApplied);
    }

    [Fact]
    public async Task A_lease_that_lasts_keeps_the_session_from_expiring()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.Ttl = TimeSpan.FromSeconds(6));
        var session = await cluster.NewSessionAsync();
        var lease = (await session.AcquireAsync(null, true, SessionRequest.New())).Lease!;

        for (var i = 0; i < 5; i++)
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(4));
            Assert.True(await session.RenewAsync(lease.Id));
        }

        Assert.Equal(2, await session.CommitAsync(Change, SessionRequest.New() with { Lease = lease.Id }));
    }
}
