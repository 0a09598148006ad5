using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>The store loses data: it is another one afterwards, with nothing in it or an older state.</summary>
public sealed class HealingTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ModelSessionStorage _store;

    public HealingTests() => _store = new ModelSessionStorage(_time);

    [Fact]
    public async Task Commit_to_a_session_that_the_store_has_lost_writes_it_back_and_is_stored_on_top()
    {
        await using var cluster = await StartAsync();
        var (handle, secret) = (SessionHandle.New(), SecretHash.Of([1]));
        var session = await cluster.NewSessionAsync(secret, handle);
        var request = SessionRequest.New();
        Assert.Equal(1, await session.IncrementAsync("n", 1, request));
        var before = await PeekAsync(handle);

        _store.BecomeAnother();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        Assert.Equal(1, await session.IncrementAsync("n", 1, request with { UnansweredFor = TimeSpan.FromSeconds(1) }));

        Assert.Equal((1, 0), (cluster.Storage.Count("restore"), cluster.Storage.Count("claim")));
        Assert.Equal(before! with { Version = 3 }, await PeekAsync(handle));
        await cluster.DeactivateAsync(session);
        var snapshot = await session.ReadAsync();
        Assert.Equal(("1", "x"), (snapshot!.GetString("first"), snapshot.GetString("a")));
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(secret, slide: true)).Standing);
    }

    [Fact]
    public async Task Sessions_that_nobody_calls_are_written_back_when_the_change_is_noticed()
    {
        await using var cluster = await StartAsync();
        SessionHandle[] handles = [SessionHandle.New(), SessionHandle.New(), SessionHandle.New()];
        foreach (var handle in handles)
        {
            await cluster.NewSessionAsync(handle: handle);
        }

        var before = await Task.WhenAll(handles.Select(PeekAsync));
        _store.BecomeAnother();
        await NoticeAsync(cluster);

        await Until.TrueAsync(() => cluster.Storage.Count("restore") == 3, "all are written back");
        await Until.TrueAsync(
            async () => (await Task.WhenAll(handles.Select(PeekAsync))).ToList() is var now && before.SequenceEqual(now),
            "they are as they were");
    }

    [Fact]
    public async Task Older_state_in_the_store_is_brought_up_to_date()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        var takeOver = _store.Replica();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        takeOver();
        await session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));

        await cluster.DeactivateAsync(session);
        var snapshot = await session.ReadAsync();
        Assert.Equal(("x", "y"), (snapshot!.GetString("a"), snapshot.GetString("b")));
    }

    [Fact]
    public async Task Claim_that_the_store_has_forgotten_is_brought_back_with_all_that_followed()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        await cluster.DeactivateAsync(session);
        var takeOver = _store.Replica();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        takeOver();
        await session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));

        await cluster.DeactivateAsync(session);
        var snapshot = await session.ReadAsync();
        Assert.Equal(("x", "y"), (snapshot!.GetString("a"), snapshot.GetString("b")));
    }

    [Fact]
    public async Task Session_missing_in_the_same_store_was_taken_out_of_it_and_stays_ended()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);

        _store.Delete(handle);

        var ended = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
        Assert.Equal(SessionEndReason.Missing, ended.Reason);
        Assert.Null(await session.ReadAsync());
        Assert.Equal(0, cluster.Storage.Count("restore"));
    }

    [Fact]
    public async Task Session_deleted_after_it_was_written_back_stays_ended()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        _store.BecomeAnother();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        _store.Delete(handle);

        await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8)));
        Assert.Null(await PeekAsync(handle));
    }

    [Fact]
    public async Task Session_whose_owner_was_last_confirmed_long_before_ends_and_memory_does_not_answer_for_it()
    {
        await using var cluster = await StartAsync(options => options.ServingLease = TimeSpan.FromSeconds(0.5));
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var watch = Watch(cluster);
        var confirmed = watch.Now;
        await Until.TrueAsync(() => watch.SeenAt > confirmed + Ticks(cluster, 0.6), "the store was seen long after the session was");

        _store.BecomeAnother();

        await Until.TrueAsync(async () => await session.ReadAsync() is null, "the session has ended");
        Assert.Equal(0, cluster.Storage.Count("restore"));
        Assert.Null(await PeekAsync(handle));
    }

    [Fact]
    public async Task Store_that_does_not_say_which_one_it_is_is_never_written_back_to()
    {
        _store.Identity = null;
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();

        _store.BecomeAnother();
        _store.Identity = null;

        await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
        Assert.Equal(0, cluster.Storage.Count("restore"));
    }

    [Fact]
    public async Task End_that_the_store_has_forgotten_is_repeated()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var takeOver = _store.Replica();
        await session.DestroyAsync();

        takeOver();
        Assert.NotNull(await PeekAsync(handle));
        await NoticeAsync(cluster);

        await Until.TrueAsync(
            async () => (await _store.PeekAsync(handle)).Outcome == StoreOutcome.Tombstone, "it is ended in the new store, too");
    }

    [Fact]
    public async Task Session_ended_elsewhere_stays_ended_though_an_activation_has_it_in_memory()
    {
        await using var cluster = await StartAsync(clusterId: "same");
        await using var other = await StartAsync(clusterId: "same");
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await other.Session(handle).DestroyAsync();

        _store.BecomeAnother();
        await NoticeAsync(cluster);
        await Until.TrueAsync(() => cluster.Storage.Count("restore") == 1, "who has it in memory writes it back");
        await NoticeAsync(other);

        await Until.TrueAsync(
            async () => (await _store.PeekAsync(handle)).Outcome == StoreOutcome.Tombstone, "who has ended it ends it again");
        var ended = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
        Assert.Equal(SessionEndReason.Destroyed, ended.Reason);
    }

    [Fact]
    public async Task Session_that_was_taken_and_ended_elsewhere_is_not_written_back_once_its_tombstone_has_gone()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var other = cluster.OtherSilo;
        await _store.ClaimAsync(handle, OwnerNonce.New(), other, TimeSpan.FromMinutes(1));
        await _store.WarnAsync(cluster.Names.Here);
        await _store.DestroyAsync(handle, SessionEndReason.Destroyed, TimeSpan.FromSeconds(15));

        // The store was away for longer than that, and has lost nothing.
        _time.Advance(TimeSpan.FromSeconds(16));
        _store.Identity = new StoreIdentity("started again");
        await NoticeAsync(cluster);

        await Until.TrueAsync(async () => await session.ReadAsync() is null, "the session has ended");
        Assert.Equal((StoreOutcome.Missing, 0), ((await _store.PeekAsync(handle)).Outcome, cluster.Storage.Count("restore")));
    }

    [Fact]
    public async Task End_that_is_repeated_warns_who_had_the_session_from_the_new_store()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var takeOver = _store.Replica();
        await session.DestroyAsync();
        takeOver();
        var other = cluster.OtherSilo;
        await _store.ClaimAsync(handle, OwnerNonce.New(), other, TimeSpan.FromMinutes(1));

        await NoticeAsync(cluster);

        await Until.TrueAsync(async () => (await _store.ProbeAsync(other)).Warning is not null, "the other silo is warned");
        Assert.Equal(StoreOutcome.Tombstone, (await _store.PeekAsync(handle)).Outcome);
    }

    [Fact]
    public async Task Session_ended_in_the_new_store_is_not_written_back()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        _store.BecomeAnother();
        await _store.DestroyAsync(handle, SessionEndReason.Destroyed, TimeSpan.FromSeconds(15));

        await NoticeAsync(cluster);

        await Until.TrueAsync(async () => await session.ReadAsync() is null, "the session has ended");
        Assert.Equal(StoreOutcome.Tombstone, (await _store.PeekAsync(handle)).Outcome);
    }

    [Fact]
    public async Task Session_owned_by_another_in_the_new_store_is_left_to_it()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var takeOver = _store.Replica();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        takeOver();
        var claim = await _store.ClaimAsync(handle, OwnerNonce.New(), "5:other/silo", TimeSpan.FromSeconds(15));
        Assert.Equal(StoreOutcome.Written, claim.Outcome);

        await session.CommitAsync(SessionDelta.Empty.Set("b", "y"u8));

        await cluster.DeactivateAsync(session);
        var snapshot = await session.ReadAsync();
        Assert.Equal((null, "y"), (snapshot!.GetString("a"), snapshot.GetString("b")));
    }

    [Fact]
    public async Task Restoration_whose_answer_is_lost_is_sent_again_and_done_once()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        var lost = 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "restore" && lost++ < 2 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };
        _store.BecomeAnother();

        var version = await cluster.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New()));

        Assert.Equal((2, 3), (version, cluster.Storage.Count("restore")));
    }

    [Fact]
    public async Task Renewal_of_a_session_that_the_store_has_lost_writes_it_back()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(SecretHash.Of([1]), handle);
        _store.BecomeAnother();
        _time.Advance(TimeSpan.FromMinutes(2));

        await session.OpenAsync(SecretHash.Of([1]), slide: true);

        await Until.TrueAsync(async () => await PeekAsync(handle) is not null, "it is in the store again");
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
    }

    private Task<SessionCluster> StartAsync(Action<SessionActorsOptions>? configure = null, string? clusterId = null) =>
        SessionCluster.StartAsync(_store, _time, configure: configure, clusterId: clusterId);

    private async Task<SessionMark?> PeekAsync(SessionHandle handle) => (await _store.PeekAsync(handle)).Mark;

    private static Task<StoreProbe> NoticeAsync(SessionCluster cluster) => Watch(cluster).AskAsync();

    private static StoreWatch Watch(SessionCluster cluster) => cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<StoreWatch>();

    private static long Ticks(SessionCluster cluster, double seconds) => -Watch(cluster).Before(0, TimeSpan.FromSeconds(seconds));
}
