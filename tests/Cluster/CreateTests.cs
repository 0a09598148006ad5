namespace SessionActors;

public sealed class CreateTests
{
    private static readonly NewSession New = new() { Delta = SessionDelta.Empty.Set("a", "x"u8) };

    [Fact]
    public async Task A_create_that_meets_somebody_who_looks_for_the_session_succeeds()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = cluster.Session(SessionHandle.New());
        var gate = cluster.Storage.Hold("claim");
        var look = session.ReadAsync();
        await gate.ArrivedAsync();
        var create = session.RetryAsync(SessionRequest.New(), request => session.CreateAsync(New, request));

        gate.Open();

        Assert.Null(await look);
        Assert.Equal(1, (await create).Version);
        Assert.Equal("x", (await session.ReadAsync())!.GetString("a"));
    }

    [Fact]
    public async Task A_reader_never_gets_the_errors_of_the_create_it_meets()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxPropertyBytes = 100);
        var session = cluster.Session(SessionHandle.New());

        var create = session.CreateAsync(new NewSession { Delta = SessionDelta.Empty.Set("big", new byte[101]) }, SessionRequest.New());
        var read = session.ReadAsync();

        await Assert.ThrowsAsync<SessionLimitExceededException>(() => create);
        Assert.Null(await read);
    }

    [Fact]
    public async Task A_create_that_was_done_and_cannot_be_read_back_is_not_called_undone()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var lost = false;
        cluster.Storage.OnStep = async (step, run) =>
        {
            if (step == "claim")
            {
                return new StoreReply(StoreOutcome.Unsent);
            }

            var reply = await run();
            (lost, var first) = (true, !lost);
            return first ? new StoreReply(StoreOutcome.Unknown) : reply;
        };
        var session = cluster.Session(SessionHandle.New());

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.CreateAsync(New, SessionRequest.New())));

        Assert.True(error.MayBeApplied);
        cluster.Storage.OnStep = null;
        Assert.NotNull(await session.ReadAsync());
    }

    [Fact]
    public async Task A_create_that_is_repeated_past_its_deadline_creates_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = cluster.Session(SessionHandle.New());
        var late = SessionRequest.New() with { UnansweredFor = ISessionStorage.CreateDeadline + TimeSpan.FromMilliseconds(1) };

        await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(session.CreateAsync(New, late)));

        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_handle_that_is_taken_is_refused()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => session.CreateAsync(New, SessionRequest.New()));

        Assert.Contains("draw a new one", error.Message, StringComparison.Ordinal);
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
    }
}
