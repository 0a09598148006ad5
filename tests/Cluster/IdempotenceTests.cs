namespace SessionActors;

public sealed class IdempotenceTests
{
    [Fact]
    public async Task A_commit_sent_twice_is_applied_once()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var request = SessionRequest.New();

        var once = await session.IncrementAsync("n", 1, request);
        await session.IncrementAsync("n", 1);
        var again = await session.IncrementAsync("n", 1, request);

        Assert.Equal(1, once);
        Assert.Equal(1, again);
        Assert.Equal(3, await session.IncrementAsync("n", 1));
    }

    [Fact]
    public async Task A_call_sent_again_while_the_first_is_under_way_joins_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var request = SessionRequest.New();
        var gate = cluster.Storage.Hold("commit");

        var once = session.IncrementAsync("n", 1, request);
        await gate.ArrivedAsync();
        var again = session.IncrementAsync("n", 1, request);
        await session.ReadAsync();
        gate.Open();

        Assert.Equal(1, await once);
        Assert.Equal(1, await again);
        Assert.Equal(2, await session.IncrementAsync("n", 1));
    }

    [Fact]
    public async Task A_call_sent_again_to_the_next_activation_is_answered_from_the_ring()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        var increment = SessionRequest.New();
        var commit = SessionRequest.New();
        await session.IncrementAsync("n", 5, increment);
        var version = await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), commit);
        await session.CommitAsync(SessionDelta.Empty.Set("a", "y"u8));

        await cluster.DeactivateAsync(session);

        Assert.Equal(5, await session.IncrementAsync("n", 5, increment));
        Assert.Equal(version, await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), commit));
        Assert.Equal("y", (await session.ReadAsync())!.GetString("a"));
    }

    [Fact]
    public async Task A_create_sent_twice_creates_one_session()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = cluster.Session(SessionHandle.New());
        var request = SessionRequest.New();
        var create = new NewSession { Delta = SessionDelta.Empty.Set("a", "x"u8) };

        var both = await Task.WhenAll(session.CreateAsync(create, request), session.CreateAsync(create, request));
        await cluster.DeactivateAsync(session);
        var later = await session.CreateAsync(create, request);

        Assert.All(both.Append(later), created => Assert.Equal(1, created.Version));
        Assert.Equal(1, (await session.ReadAsync())!.Version);
    }

    [Fact]
    public async Task A_handle_that_is_taken_is_refused()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var create = new NewSession { Delta = SessionDelta.Empty.Set("mine", "x"u8) };

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => session.CreateAsync(create, SessionRequest.New()));

        Assert.Contains("exists already", error.Message, StringComparison.Ordinal);
        Assert.Null((await session.ReadAsync())!.GetString("mine"));
    }
}
