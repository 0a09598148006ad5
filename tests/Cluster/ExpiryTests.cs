using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

public sealed class ExpiryTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly SecretHash Secret = SecretHash.Of("secret"u8);

    [Fact]
    public async Task A_session_lives_until_its_idle_time_out_and_not_a_moment_longer()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var one = await cluster.NewSessionAsync();
        var other = await cluster.NewSessionAsync();

        cluster.Time.Advance(Ttl - Moment);
        Assert.NotNull(await one.ReadAsync());
        cluster.Time.Advance(Moment);
        Assert.Null(await other.ReadAsync());
    }

    [Fact]
    public async Task An_idle_session_is_a_tombstone_before_anybody_is_told()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        cluster.Time.Advance(Ttl);

        var opening = await session.OpenAsync(Secret, slide: true);
        var reloaded = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));

        Assert.Equal((SessionStanding.Ended, SessionEndReason.Idle), (opening.Standing, opening.EndReason));
        Assert.Equal(SessionEndReason.Idle, reloaded.Reason);
        Assert.Equal(1, cluster.Storage.Count("destroy"));
    }

    [Fact]
    public async Task Opening_and_committing_renew_the_idle_time_out_and_reading_does_not()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);

        cluster.Time.Advance(Ttl - Moment);
        await session.OpenAsync(Secret, slide: true);
        cluster.Time.Advance(Ttl - Moment);
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        cluster.Time.Advance(Ttl - Moment);
        await session.ReadAsync();
        await session.OpenAsync(Secret, slide: false);
        cluster.Time.Advance(Moment);

        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task The_store_is_told_of_activity_once_per_touch_interval()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);

        // The touch interval is 1 minute: the create told the store, then each full minute does.
        for (var second = 0; second < 600; second++)
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(1));
            await session.OpenAsync(Secret, slide: true);
        }

        Assert.InRange(cluster.Storage.Count("touch"), 9, 10);
    }

    [Fact]
    public async Task After_a_crash_a_session_lives_at_least_as_long_and_at_most_a_touch_interval_longer()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var early = await cluster.NewSessionAsync(Secret);
        var late = await cluster.NewSessionAsync(Secret);
        cluster.Time.Advance(TimeSpan.FromSeconds(59));
        await early.OpenAsync(Secret, slide: true);
        await late.OpenAsync(Secret, slide: true);
        Assert.Equal(0, cluster.Storage.Count("touch"));

        // The owner is gone without a word: its releases never arrive.
        cluster.Storage.OnStep = (step, run) => step == "release" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        await cluster.DeactivateAsync(early);
        await cluster.DeactivateAsync(late);
        cluster.Time.Advance(Ttl - Moment);
        Assert.NotNull(await early.ReadAsync());
        cluster.Time.Advance(TimeSpan.FromMinutes(1) + Moment);
        Assert.Null(await late.ReadAsync());
    }

    [Fact]
    public async Task After_an_orderly_hand_over_the_idle_time_out_is_exact_again()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var one = await cluster.NewSessionAsync(Secret);
        var other = await cluster.NewSessionAsync(Secret);
        cluster.Time.Advance(TimeSpan.FromSeconds(59));
        await one.OpenAsync(Secret, slide: true);
        await other.OpenAsync(Secret, slide: true);

        await cluster.DeactivateAsync(one);
        await cluster.DeactivateAsync(other);
        cluster.Time.Advance(Ttl - Moment);
        Assert.NotNull(await one.ReadAsync());
        cluster.Time.Advance(Moment);

        Assert.Null(await other.ReadAsync());
    }

    [Fact]
    public async Task A_session_with_an_idle_time_out_of_its_own_keeps_it_wherever_it_is_loaded()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromHours(2));
        await cluster.DeactivateAsync(session);

        cluster.Time.Advance(TimeSpan.FromHours(2) - Moment);
        var snapshot = await session.ReadAsync();

        Assert.Equal(TimeSpan.FromHours(2), snapshot!.Ttl);
        Assert.True(snapshot.HasOwnTtl);
        cluster.Time.Advance(Moment);
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task The_absolute_lifetime_ends_a_session_however_active_it_is()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.AbsoluteLifetime = TimeSpan.FromHours(1));
        var active = await cluster.NewSessionAsync(Secret);
        var handedOver = await cluster.NewSessionAsync(Secret);

        for (var minute = 1; minute < 60; minute++)
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(SessionStanding.Open, (await active.OpenAsync(Secret, slide: true)).Standing);
            await handedOver.OpenAsync(Secret, slide: true);
        }

        await cluster.DeactivateAsync(handedOver);
        await handedOver.OpenAsync(Secret, slide: true);
        cluster.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(SessionEndReason.Lifetime, (await active.OpenAsync(Secret, slide: true)).EndReason);
        Assert.Equal(SessionEndReason.Lifetime, (await handedOver.OpenAsync(Secret, slide: true)).EndReason);
    }

    [Fact]
    public async Task Commits_that_change_nothing_and_increments_by_nothing_are_activity()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        for (var i = 0; i < 4; i++)
        {
            cluster.Time.Advance(Ttl / 2);
            await session.CommitAsync(SessionDelta.Empty.Set("first", "1"u8));
        }

        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
    }

    [Fact]
    public async Task Commits_that_are_refused_because_of_a_rotation_are_no_activity()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        await session.RegenerateAsync(SecretHash.Of("another"u8), SessionRequest.New());

        for (var i = 0; i < 2; i++)
        {
            cluster.Time.Advance(Ttl / 2 - Moment);
            await Assert.ThrowsAsync<SessionDestroyedException>(
                () => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New() with { Generation = 1 }));
        }

        cluster.Time.Advance(2 * Moment);
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_session_that_waits_for_a_slow_store_does_not_expire_meanwhile()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.Ttl = TimeSpan.FromSeconds(1));
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        var second = session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8));
        await cluster.StoringAsync(2);

        cluster.Time.Advance(TimeSpan.FromSeconds(1.02));
        gate.Open();
        await first;

        var version = await second;
        Assert.Equal(version, (await session.ReadAsync())?.Version);
    }

    [Fact]
    public async Task An_open_during_a_flush_is_told_to_the_store_when_the_flush_is_over()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var two = await SessionCluster.StartAsync(storage, time, clusterId: "two");
        var handle = SessionHandle.New();
        var session = await one.NewSessionAsync(Secret, handle);
        time.Advance(TimeSpan.FromMinutes(1));
        var gate = one.Storage.Hold("commit");
        var commit = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        time.Advance(TimeSpan.FromSeconds(4));
        await session.OpenAsync(Secret, slide: true);

        gate.Open();
        await commit;
        await Until.TrueAsync(() => one.Storage.Count("touch") == 1, "the open is told to the store");
        time.Advance(Ttl - Moment);

        Assert.NotNull(await two.Session(handle).ReadAsync());
    }

    [Fact]
    public async Task A_renewal_that_the_store_did_not_answer_is_sent_again_without_another_call()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        cluster.Storage.OnStep = (step, run) => step == "touch" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        cluster.Time.Advance(TimeSpan.FromMinutes(15));
        await session.OpenAsync(Secret, slide: true);
        await Until.TrueAsync(() => cluster.Storage.Count("touch") == 1, "the first renewal is tried");

        cluster.Storage.OnStep = null;
        await Until.TrueAsync(
            () =>
            {
                cluster.Time.Advance(TimeSpan.FromSeconds(1));
                return cluster.Storage.Count("touch") == 2;
            },
            "the renewal is sent again");
        cluster.Time.Advance(TimeSpan.FromMinutes(15));

        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(Secret, slide: true)).Standing);
    }

    [Theory]
    [InlineData(StoreOutcome.Behind)]
    [InlineData(StoreOutcome.Ahead)]
    [InlineData(StoreOutcome.Fenced)]
    internal async Task An_activation_whose_renewal_is_refused_lets_the_next_one_read_the_truth(StoreOutcome outcome)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        cluster.Storage.OnStep = (step, run) => step == "touch" ? Task.FromResult(new StoreReply(outcome)) : run();
        cluster.Time.Advance(TimeSpan.FromMinutes(10));
        await session.OpenAsync(Secret, slide: true);
        cluster.Storage.OnStep = null;

        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        Assert.Equal(1, cluster.Storage.Count("claim"));
    }

    [Fact]
    public async Task The_absolute_lifetime_also_ends_a_session_that_is_never_at_rest()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.AbsoluteLifetime = Ttl);
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var commit = session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();

        cluster.Time.Advance(Ttl);
        var error = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8)));
        gate.Open();

        Assert.Equal(SessionEndReason.Lifetime, error.Reason);
        await Assert.ThrowsAsync<SessionDestroyedException>(() => commit);
    }

    [Fact]
    public async Task Activity_during_a_renewal_is_told_to_the_store_when_its_answer_is_late()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret, ttl: TimeSpan.FromSeconds(1));
        var gate = cluster.Storage.HoldAnswer("touch");
        cluster.Time.Advance(TimeSpan.FromSeconds(0.9));
        await session.OpenAsync(Secret, slide: true);
        await gate.ArrivedAsync();
        cluster.Time.Advance(TimeSpan.FromSeconds(0.9));
        await session.OpenAsync(Secret, slide: true);

        cluster.Storage.OnStep = null;
        gate.Open();
        await Until.TrueAsync(() => cluster.Storage.Count("touch") == 2, "the later activity is told to the store");
        cluster.Time.Advance(TimeSpan.FromSeconds(0.9));

        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
    }

    [Fact]
    public async Task A_session_that_has_ended_is_not_renewed_any_more()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        cluster.Storage.OnStep = (step, run) => step == "touch" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        cluster.Time.Advance(Ttl / 2);
        await session.OpenAsync(Secret, slide: true);
        await Until.TrueAsync(() => cluster.Storage.Count("touch") == 1, "the renewal is tried");
        cluster.Time.Advance(Ttl);
        cluster.Storage.OnStep = null;

        Assert.Equal(SessionEndReason.Idle, (await session.OpenAsync(Secret, slide: true)).EndReason);

        cluster.Time.Advance(Ttl);
        await cluster.NewSessionAsync();
        Assert.Equal(1, cluster.Storage.Count("touch"));
    }

    [Fact]
    public async Task A_session_that_was_handed_over_is_not_renewed_by_its_earlier_owner()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        cluster.Storage.OnStep = (step, run) => step == "touch" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        cluster.Time.Advance(Ttl / 2);
        await session.OpenAsync(Secret, slide: true);
        await cluster.DeactivateAsync(session);
        cluster.Storage.OnStep = null;

        cluster.Time.Advance(Ttl / 2);
        await cluster.NewSessionAsync();
        cluster.Time.Advance(Ttl / 2);

        Assert.Null(await session.ReadAsync());
        Assert.Equal(1, cluster.Storage.Count("touch"));
    }

    [Fact]
    public async Task A_session_whose_creation_took_longer_than_its_idle_time_out_is_there()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var gate = cluster.Storage.Hold("create");
        var created = cluster.NewSessionAsync(ttl: TimeSpan.FromSeconds(1));
        await gate.ArrivedAsync();

        cluster.Time.Advance(TimeSpan.FromSeconds(1));
        gate.Open();

        Assert.NotNull(await (await created).ReadAsync());
    }

    [Fact]
    public async Task Claiming_a_session_back_does_not_make_its_last_activity_older()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var two = await SessionCluster.StartAsync(storage, time, clusterId: "two");
        var handle = SessionHandle.New();
        var session = await one.NewSessionAsync(Secret, handle);
        await two.Session(handle).ReadAsync();
        time.Advance(Ttl / 2);
        var gate = one.Storage.Hold("claim");
        var hasty = session.CommitAsync(
            SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New() with { Patience = TimeSpan.FromMilliseconds(100) });
        await Until.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
                return one.Storage.Count("claim") == 1;
            },
            "the session is claimed back");
        await session.OpenAsync(Secret, slide: true);
        time.Advance(TimeSpan.FromMilliseconds(100));

        gate.Open();

        await Assert.ThrowsAsync<SessionUnavailableException>(() => hasty);
        time.Advance(Ttl - TimeSpan.FromSeconds(1));
        Assert.NotNull(await session.ReadAsync());
    }
}
