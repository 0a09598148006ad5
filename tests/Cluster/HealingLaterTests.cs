using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>A store that has lost data and does not take any yet, or is called while it is brought up to date.</summary>
public sealed class HealingLaterTests
{
    private static readonly StoreReply Refused = new(StoreOutcome.Refused, Error: new IOException("NOREPLICAS"));

    private readonly FakeTimeProvider _time = new();
    private readonly ModelSessionStorage _store;

    public HealingLaterTests() => _store = new ModelSessionStorage(_time);

    [Fact]
    public async Task While_it_takes_no_writes_nothing_is_lost_from_memory_and_then_all_is_written_back()
    {
        await using var cluster = await StartAsync();
        SessionHandle[] handles = [SessionHandle.New(), SessionHandle.New()];
        var (called, other) = (await cluster.NewSessionAsync(handle: handles[0]), await cluster.NewSessionAsync(handle: handles[1]));
        await other.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        var takesWrites = false;
        cluster.Storage.OnStep = (step, run) => step is "restore" or "commit" && !takesWrites ? Task.FromResult(Refused) : run();
        _store.BecomeAnother();
        await NoticeAsync(cluster);

        foreach (var call in new Func<Task<long>>[]
        {
            () => called.CommitAsync(SessionDelta.Empty.Set("b", "y"u8), SessionRequest.New()),
            () => called.IncrementAsync("n", 0, SessionRequest.New()),
        })
        {
            var refusal = await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(call()));
            Assert.False(refusal.MayBeApplied);
        }

        takesWrites = true;

        await Until.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return (await Task.WhenAll(handles.Select(_store.PeekAsync))).All(reply => reply.Mark is not null);
            },
            "all are written back");
        Assert.Equal(("1", "x"), ((await called.ReadAsync())!.GetString("first"), (await other.ReadAsync())!.GetString("a")));
    }

    [Fact]
    public async Task An_end_that_it_has_forgotten_is_repeated_until_it_takes_that()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var takeOver = _store.Replica();
        await session.DestroyAsync();
        takeOver();
        var refused = 0;
        cluster.Storage.OnStep = (step, run) => step == "destroy" && refused++ < 100 ? Task.FromResult(Refused) : run();

        await NoticeAsync(cluster);

        await Until.TrueAsync(
            async () => (await _store.PeekAsync(handle)).Outcome == StoreOutcome.Tombstone, "it is ended in the new store, too");
    }

    [Fact]
    public async Task An_end_that_is_repeated_and_whose_answer_is_lost_warns_all_the_same()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        var takeOver = _store.Replica();
        await session.DestroyAsync();
        takeOver();
        var other = cluster.OtherSilo;
        await _store.ClaimAsync(handle, OwnerNonce.New(), other, TimeSpan.FromMinutes(1));
        var lost = 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "destroy" && lost++ == 0 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        await NoticeAsync(cluster);

        await Until.TrueAsync(async () => (await _store.ProbeAsync(other)).Warning is not null, "the other silo is warned");
    }

    [Fact]
    public async Task A_call_that_finds_nothing_to_do_waits_for_what_it_finds_it_in_to_be_written_back()
    {
        await using var cluster = await StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.GetOrSetAsync("a", "x"u8.ToArray());
        var gate = cluster.Storage.Hold("restore");
        _store.BecomeAnother();
        await NoticeAsync(cluster);
        await gate.ArrivedAsync();

        var found = session.GetOrSetAsync("a", "y"u8.ToArray());
        await Until.TrueAsync(() => cluster.Storage.Count("peek") > 0, "the call asks whether that is so still");
        gate.Open();

        Assert.Equal("x"u8.ToArray(), (await found).ToArray());
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_had_the_session_before_a_claim_that_was_forgotten_is_warned_when_it_is_written_back(bool isLost)
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await cluster.DeactivateAsync(session);
        var other = cluster.OtherSilo;
        await _store.ClaimAsync(handle, OwnerNonce.New(), other, TimeSpan.FromMinutes(1));
        var takeOver = _store.Replica();
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        takeOver();
        Assert.Null((await _store.ProbeAsync(other)).Warning);
        var lost = isLost ? 1 : 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "restore" && lost-- > 0 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        await NoticeAsync(cluster);

        await Until.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(20));
                return (await _store.ProbeAsync(other)).Warning is not null;
            },
            "the other silo is warned");
        Assert.Equal("x", (await session.ReadAsync())!.GetString("a"));
    }

    [Fact]
    public async Task A_session_that_its_silo_takes_from_itself_is_asked_for_once_more()
    {
        await using var cluster = await StartAsync();
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await cluster.DeactivateAsync(session);
        await _store.ClaimAsync(handle, OwnerNonce.New(), cluster.Names.Here, TimeSpan.FromMinutes(1));
        Assert.NotNull(await session.ReadAsync());
        // Who had it before has taken it back to store what was acknowledged.
        var claim = await _store.ClaimAsync(handle, OwnerNonce.New(), cluster.Names.Here, TimeSpan.FromMinutes(1));
        var stored = await _store.CommitAsync(handle, new Flush
        {
            Owner = claim.Session!.Owner, FromVersion = 1, Entries = [new RingEntry(RequestId.New(), "")],
            Delta = SessionDelta.Empty.Set("a", "x"u8),
        });
        Assert.Equal(StoreOutcome.Written, stored.Outcome);

        await Until.TrueAsync(async () => (await TryReadAsync(session))?.GetString("a") == "x", "what is stored is seen");
    }

    private static async Task<SessionSnapshot?> TryReadAsync(ISessionGrain session)
    {
        try
        {
            return await session.ReadAsync();
        }
        catch (SessionUnavailableException e) when (e.Moved)
        {
            return null;
        }
    }

    private Task<SessionCluster> StartAsync() => SessionCluster.StartAsync(_store, _time);

    private static Task<StoreProbe> NoticeAsync(SessionCluster cluster) =>
        cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<StoreWatch>().AskAsync();
}
