namespace SessionActors;

/// <summary>Requests that were under way when a session got a new secret.</summary>
public sealed class RotationGraceTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly SecretHash First = SecretHash.Of([1]), Second = SecretHash.Of([2]), Third = SecretHash.Of([3]);

    [Fact]
    public async Task Without_it_the_old_secret_opens_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await RotatedAsync(cluster);

        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(First, slide: true)).Standing);
        await Assert.ThrowsAsync<SessionDestroyedException>(() => ChangeAsync(session, generation: 1));
    }

    [Fact]
    public async Task With_it_the_secret_before_opens_and_changes_the_session_for_its_time_and_no_longer()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.RotationGrace = Grace);
        var session = await RotatedAsync(cluster);

        var opening = await session.OpenAsync(First, slide: true);
        Assert.Equal((SessionStanding.Open, true, 2), (opening.Standing, opening.IsUnderOldSecret, opening.Snapshot!.Generation));
        await ChangeAsync(session, generation: 1);
        Assert.False((await session.OpenAsync(Second, slide: true)).IsUnderOldSecret);

        cluster.Time.Advance(Grace);

        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(First, slide: true)).Standing);
        await Assert.ThrowsAsync<SessionDestroyedException>(() => ChangeAsync(session, generation: 1));
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(Second, slide: true)).Standing);
    }

    [Fact]
    public async Task It_is_no_way_to_the_next_secret()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.RotationGrace = Grace);
        var session = await RotatedAsync(cluster);

        await Assert.ThrowsAsync<SessionDestroyedException>(
            () => session.RegenerateAsync(Third, SessionRequest.New() with { Generation = 1 }));

        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(Second, slide: true)).Standing);
        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(Third, slide: true)).Standing);
    }

    [Fact]
    public async Task Of_several_rotations_only_the_last_secret_before_is_let_in()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.RotationGrace = Grace);
        var session = await RotatedAsync(cluster);
        await session.RegenerateAsync(Third, SessionRequest.New());

        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(First, slide: true)).Standing);
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(Second, slide: true)).Standing);
        await Assert.ThrowsAsync<SessionDestroyedException>(() => ChangeAsync(session, generation: 1));
    }

    private static async Task<ISessionGrain> RotatedAsync(SessionCluster cluster)
    {
        var session = await cluster.NewSessionAsync(First);
        await session.RegenerateAsync(Second, SessionRequest.New());
        return session;
    }

    private static Task<long> ChangeAsync(ISessionGrain session, int generation) =>
        session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New() with { Generation = generation });
}
