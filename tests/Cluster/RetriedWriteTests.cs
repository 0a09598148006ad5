using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>What becomes of a write whose first answer got lost when others write before it is repeated.</summary>
public sealed class RetriedWriteTests
{
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);

    [Theory]
    [InlineData("one", "two", 100)]
    [InlineData("one", "two", 130)]
    [InlineData("same", "same", 100)]
    [InlineData("same", "same", 130)]
    public async Task A_write_whose_answer_was_lost_is_never_applied_twice_however_much_another_owner_wrote_since(
        string cluster, string otherCluster, int deltas)
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: cluster);
        await using var two = await SessionCluster.StartAsync(storage, time, clusterId: otherCluster);
        var handle = SessionHandle.New();
        var (here, there) = (await one.NewSessionAsync(handle: handle), two.Session(handle));
        var lost = false;
        one.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            if (step != "commit" || lost)
            {
                return reply;
            }

            lost = true;
            for (var i = 0; i < deltas; i++)
            {
                await there.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8));
            }

            return new StoreReply(StoreOutcome.Unknown);
        };

        var increment = one.MoveTimeAsync(here.IncrementAsync("n"));
        if (deltas < ISessionStorage.RingSize)
        {
            Assert.Equal(1, await increment);
        }
        else
        {
            Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(() => increment)).MayBeApplied);
        }

        Assert.Equal(1, await there.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_call_that_went_unanswered_is_not_called_undone_when_the_next_try_cannot_tell()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var tries = 0;

        var call = session.RetryAsync<int>(SessionRequest.New(), async request =>
        {
            if (tries++ == 0)
            {
                await session.IncrementAsync("n", 1, request);
                throw new TimeoutException();
            }

            throw SessionUnavailableException.NotApplied("session", "the store is out of reach.");
        });

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => call);
        Assert.True(error.MayBeApplied);
    }

    [Fact]
    public async Task The_tries_of_a_call_share_one_patience()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var patience = new List<TimeSpan>();

        await session.RetryAsync(SessionRequest.New(), request =>
        {
            patience.Add(request.Patience);
            return patience.Count < 3 ? throw new TimeoutException() : Task.FromResult(0);
        });

        Assert.True(patience[0] > patience[1] && patience[1] > patience[2]);
    }

    [Fact]
    public async Task A_hasty_caller_does_not_take_patient_ones_along()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(Change);
        await gate.ArrivedAsync();
        var hasty = session.CommitAsync(
            SessionDelta.Empty.Set("b", "x"u8), SessionRequest.New() with { Patience = TimeSpan.FromMilliseconds(60) });
        var patient = session.CommitAsync(SessionDelta.Empty.Set("c", "x"u8));
        await cluster.StoringAsync(3);
        cluster.Storage.OnStep = (step, run) =>
            step == "commit" && cluster.Storage.Count("commit") < 6 ? Task.FromResult(new StoreReply(StoreOutcome.Unknown)) : run();

        gate.Open();

        await cluster.MoveTimeAsync(Task.WhenAll(first, patient));
        Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(() => hasty)).MayBeApplied);
        Assert.Equal(4, (await session.ReadAsync())!.Properties.Count);
    }

    [Fact]
    public async Task A_change_that_may_have_been_stored_by_an_earlier_owner_is_unknown_when_the_store_goes_away()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = (step, run) => step == "commit" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        var repeated = SessionRequest.New() with { UnansweredFor = TimeSpan.FromSeconds(1) };

        var commit = cluster.MoveTimeAsync(session.CommitAsync(Change, repeated));
        var error = await Assert.ThrowsAsync<SessionUnavailableException>(() => commit);

        Assert.True(error.MayBeApplied);
    }

    [Theory]
    [InlineData("the session cannot be loaded")]
    [InlineData("too many calls wait")]
    [InlineData("the session cannot be created")]
    public async Task A_call_that_went_unanswered_is_not_called_undone_by_an_activation_that_does_not_get_to_it(string why)
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxWaiters = 1);
        var session = await cluster.NewSessionAsync();
        var repeated = SessionRequest.New() with { UnansweredFor = TimeSpan.FromSeconds(1) };
        StepGate? gate = null;
        Task call;
        if (why == "too many calls wait")
        {
            gate = cluster.Storage.Hold("commit");
            _ = session.CommitAsync(Change);
            await gate.ArrivedAsync();
            // Whichever comes first waits, the other one is turned away.
            call = await Task.WhenAny(
                session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8), repeated with { Id = RequestId.New() }),
                session.CommitAsync(SessionDelta.Empty.Set("c", "x"u8), repeated));
        }
        else
        {
            await cluster.DeactivateAsync(session);
            cluster.Storage.OnStep = (_, _) => Task.FromResult(new StoreReply(StoreOutcome.Unsent));
            call = why == "the session cannot be loaded"
                ? cluster.MoveTimeAsync(session.CommitAsync(Change, repeated))
                : cluster.MoveTimeAsync(session.CreateAsync(new NewSession { Delta = Change }, repeated));
        }

        Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(() => call)).MayBeApplied);
        gate?.Open();
    }

    [Fact]
    public async Task A_call_that_gets_lost_is_sent_again_long_before_Orleans_misses_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var time = new FakeTimeProvider();
        var never = new TaskCompletionSource<long>();
        var tries = new List<SessionRequest>();

        var sum = session.RepeatAsync(
            SessionRequest.New(),
            request =>
            {
                tries.Add(request);
                return tries.Count == 1 ? never.Task : session.IncrementAsync("n", 1, request);
            },
            time,
            CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(2));
        await Until.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(2));
                return tries.Count > 1;
            },
            "the call is sent again");

        Assert.Equal(1, await sum);
        Assert.Equal(2, tries.Count);
        Assert.Equal(tries[0].Id, tries[1].Id);
        // It may have been applied all the same, and the session is told since when.
        Assert.True(tries[1].UnansweredFor >= TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_call_that_is_only_slow_is_asked_after_and_not_sent_again_so_that_it_can_be_refused_for_certain()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var time = new FakeTimeProvider();
        var gate = new StepGate();
        cluster.Storage.OnStep = async (step, run) =>
        {
            if (step != "commit")
            {
                return await run();
            }

            await gate.PassAsync();
            return new StoreReply(StoreOutcome.Refused);
        };
        var tries = 0;

        var sum = session.RepeatAsync(
            SessionRequest.New(),
            request =>
            {
                tries++;
                return session.IncrementAsync("n", 1, request);
            },
            time,
            CancellationToken.None);
        await gate.ArrivedAsync();
        await Until.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return cluster.Arrived(nameof(ISessionGrain.IsUnderWayAsync)) >= 3;
            },
            "the call was asked after three times");
        gate.Open();

        Assert.False((await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(sum))).MayBeApplied);
        Assert.Equal(1, tries);
    }

    [Fact]
    public async Task A_repeated_call_that_has_nothing_to_do_leaves_a_trace_for_a_try_that_is_still_under_way()
    {
        await using var two = await TwoActivations.StartAsync("one", "other");
        var (here, there) = two.Sessions;
        await two.First.NewSessionAsync(handle: two.Handle);
        var gate = two.First.Storage.Hold("commit");
        var request = SessionRequest.New();
        var firstTry = here.TakeAsync("first", request);
        await gate.ArrivedAsync();
        Assert.NotNull(await there.TakeAsync("first"));
        Assert.Null(await there.TakeAsync("first", request with { UnansweredFor = TimeSpan.FromSeconds(1) }));
        await there.CommitAsync(SessionDelta.Empty.Set("first", "again"u8));

        // It gets through at last, and would find something to take.
        gate.Open();

        Assert.Null(await two.First.MoveTimeAsync(firstTry));
        Assert.NotNull(await there.TakeAsync("first"));
    }

    [Theory]
    [MemberData(nameof(LostCalls))]
    public async Task A_call_that_Orleans_gave_up_in_whatever_way_is_made_again(Exception lost)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var tries = 0;

        var sum = await session.RetryAsync(
            SessionRequest.New(), request => tries++ == 0 ? Task.FromException<long>(lost) : session.IncrementAsync("n", 1, request));

        Assert.Equal((1, 2), (sum, tries));
    }

    public static TheoryData<Exception> LostCalls() =>
    [
        new SiloUnavailableException(), new TimeoutException(),
        new OperationCanceledException("Message expired before placement could complete"), new ObjectDisposedException("silo"),
    ];
}
