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
}
