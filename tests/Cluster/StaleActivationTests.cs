using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>
/// Two activations of one session in one cluster, as a partition can make them, of which one does not know yet that the other has the
/// session now: it must not answer for it what it cannot know.
/// </summary>
public sealed class StaleActivationTests : IAsyncLifetime
{
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);
    private static readonly SecretHash Secret = SecretHash.Of("secret"u8);
    private static readonly SecretHash NewSecret = SecretHash.Of("new"u8);

    private TwoActivations _two = null!;
    private ISessionGrain _stale = null!;
    private ISessionGrain _session = null!;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoActivations.StartAsync("same", "same");
        (_stale, _session) = _two.Sessions;
        await _two.First.NewSessionAsync(Secret, _two.Handle);
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task A_repeated_call_is_not_told_there_that_it_had_nothing_to_do()
    {
        var request = SessionRequest.New();
        await _session.CommitAsync(SessionDelta.Empty.Set("ticket", "x"u8));
        Assert.NotNull(await _session.TakeAsync("ticket", request));

        await AssertMovedAsync(() => _stale.TakeAsync("ticket", Repeated(request)));
    }

    [Fact]
    public async Task A_repeated_call_is_not_refused_there_for_what_it_has_done_itself()
    {
        var request = SessionRequest.New() with { OnConflict = ConflictBehaviour.Refuse };
        await _session.CommitAsync(Change);
        var next = new SessionDelta { BaseVersion = 2 }.Set("a", "y"u8);
        Assert.Equal(3, await _session.CommitAsync(next, request));

        await AssertMovedAsync(() => _stale.CommitAsync(next, Repeated(request)));
    }

    [Fact]
    public async Task A_read_there_is_not_answered_from_memory_any_more()
    {
        Assert.Equal(1, (await _stale.ReadAsync())!.Version);

        await _session.CommitAsync(Change);
        await ProveAsync(_two.First);

        Assert.Equal(2, await VersionAsync(_stale));
    }

    [Fact]
    public async Task A_claim_that_comes_in_again_makes_nobody_the_owner_of_what_has_changed_since()
    {
        var claim = () => Task.FromException<StoreReply>(new InvalidOperationException("Nobody has claimed anything."));
        _two.Second.Storage.OnStep = (name, run) =>
        {
            claim = name == "claim" ? run : claim;
            return run();
        };
        Assert.Equal(1, await VersionAsync(_session));
        await _stale.CommitAsync(Change);

        await claim();
        await ProveAsync(_two.Second);

        Assert.Equal(2, await VersionAsync(_session));
    }

    [Fact]
    public async Task A_session_that_was_destroyed_is_not_shown_there_any_more()
    {
        Assert.NotNull(await _stale.ReadAsync());

        await _session.DestroyAsync();
        await ProveAsync(_two.First);

        Assert.Null(await VersionAsync(_stale));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nor_where_the_silo_that_had_taken_it_died_before_it_warned(bool isAnswerLost)
    {
        Assert.NotNull(await _stale.ReadAsync());
        var there = _two.Second;
        var name = there.Silos.Silos[0].ServiceProvider.GetRequiredService<OwnerNames>().Here;
        await there.Storage.ClaimAsync(_two.Handle, OwnerNonce.New(), name, TimeSpan.FromMinutes(1));
        there.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            (var isLost, isAnswerLost) = (isAnswerLost && step == "destroy", isAnswerLost && step != "destroy");
            return isLost ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        var destroying = _session.DestroyAsync();
        await Until.TrueAsync(
            () =>
            {
                // The next try is some moments later.
                there.Time.Advance(TimeSpan.FromMilliseconds(10));
                return destroying.IsCompleted;
            },
            "the session is destroyed");
        await destroying;
        await ProveAsync(_two.First);

        Assert.Null(await VersionAsync(_stale));
    }

    [Fact]
    public async Task Nor_where_whoever_ended_it_died_before_it_warned_and_it_was_ended_again()
    {
        Assert.NotNull(await _stale.ReadAsync());
        await _two.Store.DestroyAsync(_two.Handle, SessionEndReason.Destroyed, TimeSpan.FromMinutes(1));

        // As a request does that comes with the cookie, before it ends what that opens.
        Assert.Equal(SessionStanding.Ended, (await _session.OpenAsync(Secret, slide: true)).Standing);
        await ProveAsync(_two.First);

        Assert.Null(await VersionAsync(_stale));
    }

    [Fact]
    public async Task A_store_that_has_lost_the_warning_leaves_nobody_answering_from_memory()
    {
        Assert.NotNull(await _stale.ReadAsync());
        _two.Second.Storage.OnStep = (name, run) => name == "warn" ? Task.FromResult(new StoreReply(StoreOutcome.Written)) : run();
        Assert.Equal(1, await VersionAsync(_session));
        _two.Store.Replica()();
        await ProveAsync(_two.First);
        await _session.CommitAsync(Change);

        Assert.Equal(2, await VersionAsync(_stale));
    }

    [Fact]
    public async Task A_repeated_commit_under_a_lease_is_not_told_there_that_the_lease_is_lost()
    {
        var lease = await _session.AcquireAsync(TestContext.Current.CancellationToken);
        var request = lease.NewRequest();
        await _session.CommitAsync(Change, request);

        await AssertMovedAsync(() => _stale.CommitAsync(Change, Repeated(request)));
    }

    [Fact]
    public async Task A_repeated_commit_is_refused_there_only_once_its_first_try_cannot_be_stored_any_more()
    {
        var lease = await _session.AcquireAsync(TestContext.Current.CancellationToken);
        var request = lease.NewRequest();
        var gate = _two.Second.Storage.Hold("commit");
        var first = _session.CommitAsync(Change, request);
        await gate.ArrivedAsync();

        await Assert.ThrowsAsync<SessionLeaseLostException>(() => _stale.CommitAsync(Change, Repeated(request)));

        gate.Open();
        await AssertMovedAsync(() => first);
        Assert.Equal(1, await VersionAsync(_stale));
    }

    [Fact]
    public async Task A_repeated_commit_under_a_lost_lease_is_refused_by_whoever_has_the_session()
    {
        var lease = await _session.AcquireAsync(TestContext.Current.CancellationToken);
        var request = lease.NewRequest();
        await lease.DisposeAsync();

        await Assert.ThrowsAsync<SessionLeaseLostException>(() => _session.CommitAsync(Change, Repeated(request)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_newer_secret_is_not_taken_there_for_an_old_one(bool exclusively)
    {
        await _session.RegenerateAsync(NewSecret, SessionRequest.New());

        var opening = await _stale.RetryAsync(SessionRequest.New(), request => exclusively
            ? _stale.AcquireAsync(NewSecret, slide: true, request) : _stale.OpenAsync(NewSecret, slide: true).AsTask());

        Assert.Equal(SessionStanding.Open, opening.Standing);
    }

    [Fact]
    public async Task A_commit_with_a_newer_generation_is_not_taken_there_for_an_old_one()
    {
        var generation = await _session.RegenerateAsync(NewSecret, SessionRequest.New());

        await AssertMovedAsync(() => _stale.CommitAsync(Change, SessionRequest.New() with { Generation = generation }));
    }

    [Fact]
    public async Task A_user_who_comes_with_a_newer_generation_is_not_taken_there_for_one_with_an_old_secret()
    {
        var generation = await _session.RegenerateAsync(NewSecret, SessionRequest.New());

        await AssertMovedAsync(() => _stale.BindAsync(
            new UserBinding { UserId = "ada" }, SessionRequest.New() with { Generation = generation }));
    }

    [Fact]
    public async Task A_destroy_with_a_newer_generation_is_not_refused_there()
    {
        var generation = await _session.RegenerateAsync(NewSecret, SessionRequest.New());

        await _stale.DestroyAsync(SessionRequest.New() with { Generation = generation });

        await Assert.ThrowsAsync<SessionDestroyedException>(() => _session.CommitAsync(Change));
    }

    [Fact]
    public async Task A_lease_that_both_granted_to_the_same_call_is_not_the_same_lease()
    {
        var acquire = SessionRequest.New();
        var there = (await _stale.AcquireAsync(null, slide: true, acquire)).Lease!;
        await _session.CommitAsync(Change);
        var here = (await _session.AcquireAsync(null, slide: true, acquire)).Lease!;

        await Assert.ThrowsAsync<SessionLeaseLostException>(() => _session.CommitAsync(Change, Under(there)));
        Assert.Equal(3, await _session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8), Under(here)));
    }

    // Its lease goes on; the next regular one would come much later.
    private static async Task ProveAsync(SessionCluster cluster)
    {
        foreach (var silo in cluster.Silos.Silos)
        {
            var lease = silo.ServiceProvider.GetRequiredService<ServingLease>();
            await lease.ProveAsync(TestContext.Current.CancellationToken);
            Assert.True(lease.IsHeld);
        }
    }

    private static async Task<long?> VersionAsync(ISessionGrain session) =>
        (await session.RetryAsync(SessionRequest.DefaultPatience, () => session.ReadAsync().AsTask()))?.Version;

    private static SessionRequest Repeated(SessionRequest request) => request with { UnansweredFor = TimeSpan.FromSeconds(1) };

    private static SessionRequest Under(LeaseGrant lease) => SessionRequest.New() with { Lease = lease.Id, LeaseToken = lease.Token };

    private static async Task AssertMovedAsync(Func<Task> call) =>
        Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(call)).Moved);
}
