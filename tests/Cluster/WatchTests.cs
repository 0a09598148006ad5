namespace SessionActors;

/// <summary>Sessions that somebody watches.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task Who_watches_sees_the_session_its_changes_and_its_end()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await using var changes = session.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);

        Assert.Equal("1", (await NextAsync(changes)).Snapshot!.GetString("first"));
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        Assert.Equal((2, "x"), ((await NextAsync(changes)).Snapshot!.Version, changes.Current.Snapshot!.GetString("a")));
        await session.IncrementAsync("n");
        Assert.Equal(3, (await NextAsync(changes)).Snapshot!.Version);
        await session.DestroyAsync();

        Assert.Equal(SessionEndReason.Destroyed, (await NextAsync(changes)).EndReason);
        Assert.False(await changes.MoveNextAsync());
    }

    [Fact]
    public async Task A_session_that_lives_for_months_can_be_watched()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromDays(365));
        await using var changes = session.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        await NextAsync(changes);
        var next = NextAsync(changes);

        cluster.Time.Advance(TimeSpan.FromDays(3));
        await session.IncrementAsync("n");

        Assert.Equal(2, (await next).Snapshot!.Version);
    }

    [Fact]
    public async Task A_session_that_is_not_there_has_ended()
    {
        await using var cluster = await SessionCluster.StartAsync();
        await using var changes = cluster.Session(SessionHandle.New()).WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);

        Assert.Equal(SessionEndReason.Missing, (await NextAsync(changes)).EndReason);
    }

    [Fact]
    public async Task The_idle_end_is_seen_though_nobody_calls_and_watching_does_not_put_it_off()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromSeconds(2));
        await using var changes = session.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        await NextAsync(changes);
        var next = NextAsync(changes);

        var end = await cluster.MoveTimeAsync(next);

        Assert.Equal(SessionEndReason.Idle, end.EndReason);
    }

    [Fact]
    public async Task A_user_who_logs_out_everywhere_is_seen_at_once()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await session.BindAsync(new UserBinding { UserId = "ada" });
        await using var changes = session.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        await NextAsync(changes);

        await cluster.User("ada").EndAllAsync();

        Assert.Equal(SessionEndReason.Revoked, (await NextAsync(changes)).EndReason);
    }

    [Fact]
    public async Task A_session_that_moves_is_watched_where_it_goes()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await using var changes = session.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        await NextAsync(changes);
        var next = NextAsync(changes);

        await cluster.DeactivateAsync(session);
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        Assert.Equal("x", (await next).Snapshot!.GetString("a"));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<SessionChange> NextAsync(IAsyncEnumerator<SessionChange> changes)
    {
        Assert.True(await Until.Async(changes.MoveNextAsync().AsTask(), "the session changes"));
        return changes.Current;
    }
}
