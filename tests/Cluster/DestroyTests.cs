namespace SessionActors;

public sealed class DestroyTests
{
    private static readonly SecretHash Secret = SecretHash.Of("secret"u8);
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);

    [Fact]
    public async Task A_destroyed_session_is_gone_for_readers_writers_and_openers()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);

        await session.DestroyAsync();

        Assert.Null(await session.ReadAsync());
        Assert.Equal(SessionEndReason.Destroyed, (await session.OpenAsync(Secret, slide: true)).EndReason);
        Assert.Equal(SessionEndReason.Destroyed, await EndOfAsync(() => session.CommitAsync(Change)));
        Assert.Equal(1, cluster.Storage.Count("destroy"));
    }

    [Fact]
    public async Task Nothing_revives_a_session_when_its_tombstone_has_gone_too()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        await session.DestroyAsync();

        cluster.Time.Advance(TimeSpan.FromDays(1));

        Assert.Equal(SessionEndReason.Missing, await EndOfAsync(() => session.CommitAsync(Change)));
        Assert.Equal(SessionEndReason.Missing, (await session.OpenAsync(Secret, slide: true)).EndReason);
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_commit_under_way_when_the_session_is_destroyed_is_refused_or_destroyed_with_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var commit = session.CommitAsync(Change);
        await gate.ArrivedAsync();
        var waiting = session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8));

        await session.DestroyAsync();
        gate.Open();

        Assert.Equal(SessionEndReason.Destroyed, await EndOfAsync(() => commit));
        Assert.Equal(SessionEndReason.Destroyed, await EndOfAsync(() => waiting));
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task Destroying_twice_or_a_session_that_is_not_there_is_no_error()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        await session.DestroyAsync();
        await session.DestroyAsync();
        await cluster.Session(SessionHandle.New()).DestroyAsync();
    }

    [Fact]
    public async Task A_session_that_nobody_holds_is_destroyed_without_being_loaded()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        await cluster.DeactivateAsync(session);

        await session.DestroyAsync();

        Assert.Equal(0, cluster.Storage.Count("claim"));
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_create_after_the_destroy_of_its_handle_is_refused()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.DestroyAsync();

        await Assert.ThrowsAsync<SessionDestroyedException>(
            () => session.CreateAsync(new NewSession { Delta = Change }, SessionRequest.New()));
    }

    [Fact]
    public async Task A_commit_to_a_session_that_never_was_creates_none()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = cluster.Session(SessionHandle.New());

        var error = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(Change));

        Assert.Equal(SessionEndReason.Missing, error.Reason);
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_rotated_secret_shuts_the_old_one_out()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        var opened = (await session.OpenAsync(Secret, slide: true)).Snapshot!;
        var next = SecretHash.Of("another"u8);

        var generation = await session.RegenerateAsync(next, SessionRequest.New() with { Generation = opened.Generation });

        Assert.Equal(opened.Generation + 1, generation);
        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(Secret, slide: true)).Standing);
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(next, slide: true)).Standing);
        var stale = SessionRequest.New() with { Generation = opened.Generation };
        Assert.Equal(SessionEndReason.Rotated, await EndOfAsync(() => session.CommitAsync(Change, stale)));
        Assert.Equal(SessionEndReason.Rotated, await EndOfAsync(() => session.DestroyAsync(stale)));
        await cluster.DeactivateAsync(session);
        Assert.Equal(SessionStanding.Superseded, (await session.OpenAsync(Secret, slide: true)).Standing);
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(next, slide: true)).Standing);
    }

    private static async Task<SessionEndReason> EndOfAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<SessionDestroyedException>(call)).Reason;

    [Fact]
    public async Task A_destroy_from_before_a_rotation_is_refused_also_where_nobody_holds_the_session()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        await session.RegenerateAsync(SecretHash.Of("another"u8), SessionRequest.New());
        await cluster.DeactivateAsync(session);

        Assert.Equal(
            SessionEndReason.Rotated, await EndOfAsync(() => session.DestroyAsync(SessionRequest.New() with { Generation = 1 })));

        Assert.NotNull(await session.ReadAsync());
        await session.DestroyAsync(SessionRequest.New() with { Generation = 2 });
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task A_destroy_that_may_have_been_done_is_never_said_to_have_changed_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        var tries = 0;
        cluster.Storage.OnStep = async (step, run) => (step, step == "destroy" ? ++tries : 0) switch
        {
            // Done, and not heard of.
            (_, 1) => (await run()) with { Outcome = StoreOutcome.Unknown },
            // There is a tombstone, and nobody can tell whose.
            (_, 2) => await run(),
            ("destroy", _) => new StoreReply(StoreOutcome.Unsent),
            _ => await run(),
        };

        Assert.True(await cluster.MoveTimeAsync(MayBeDestroyedAsync()));

        cluster.Storage.OnStep = null;
        Assert.Null(await session.ReadAsync());

        async Task<bool> MayBeDestroyedAsync() => (await Assert.ThrowsAsync<SessionUnavailableException>(
            () => session.DestroyAsync(SessionRequest.New()))).MayBeApplied;
    }

    [Fact]
    public async Task A_destroy_is_done_although_the_session_cannot_be_read()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        await cluster.DeactivateAsync(session);
        cluster.Storage.OnStep = (step, run) => step == "claim" ? Task.FromResult(new StoreReply(StoreOutcome.Refused)) : run();

        await cluster.MoveTimeAsync(DestroyedAsync());

        cluster.Storage.OnStep = null;
        Assert.Null(await session.ReadAsync());

        async Task<bool> DestroyedAsync()
        {
            await session.DestroyAsync(SessionRequest.New() with { Generation = 1 });
            return true;
        }
    }
}
