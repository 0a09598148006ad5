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
    public async Task A_call_that_may_have_been_forgotten_meanwhile_is_unknown_and_not_applied_again()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var lost = SessionRequest.New();
        await session.IncrementAsync("n", 1, lost);
        for (var i = 0; i < ISessionStorage.RingSize; i++)
        {
            await session.IncrementAsync("other");
        }

        var again = lost with { UnansweredFor = TimeSpan.FromSeconds(1) };
        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => session.IncrementAsync("n", 1, again));
        await cluster.DeactivateAsync(session);
        var later = await Assert.ThrowsAsync<SessionUnavailableException>(() => session.IncrementAsync("n", 1, again));

        Assert.True(error.MayBeApplied && later.MayBeApplied);
        Assert.Equal(1, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_call_that_cannot_have_been_forgotten_is_applied_when_it_is_sent_again()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        for (var i = 0; i < ISessionStorage.RingSize; i++)
        {
            await session.IncrementAsync("other");
        }

        cluster.Time.Advance(TimeSpan.FromSeconds(10));
        await cluster.DeactivateAsync(session);

        Assert.Equal(1, await session.IncrementAsync("n", 1, SessionRequest.New() with { UnansweredFor = TimeSpan.FromSeconds(5) }));
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
