using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors.UnitTests.Grains;

/// <summary>When a session may be written back, by the times at which its silo has seen what.</summary>
public sealed class HealingRuleTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ModelSessionStorage _storage;
    private readonly WatchedStorage _watched;
    private readonly StoreWatch _store;
    private readonly ServingLease _serving;
    private readonly Healing _healing;
    private SiloStatus? _standing = SiloStatus.Active;

    public HealingRuleTests()
    {
        _storage = new ModelSessionStorage(_time);
        _watched = new WatchedStorage(_storage);
        var options = Options.Create(new SessionActorsOptions { ServingLease = Lease });
        _store = new StoreWatch(_watched, new StubSilo(1).Names, _time, NullLogger<StoreWatch>.Instance);
        _serving = new ServingLease(
            options,
            _store,
            _ => _standing is { } standing
                ? Task.FromResult(standing) : Task.FromException<SiloStatus>(new IOException("No members are told.")),
            _time,
            new SessionMetrics(_services.GetRequiredService<IMeterFactory>()),
            NullLogger<ServingLease>.Instance);
        _healing = new Healing(options, _store, _serving);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Same_store_is_never_written_back_to()
    {
        await _store.AskAsync();

        Assert.False(await _healing.MayWriteBackAsync(_store.Now));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public async Task Owner_must_have_been_confirmed_shortly_before_the_old_store_was_last_seen(int secondsBefore, bool may)
    {
        var confirmedAt = _store.Now;
        _time.Advance(Second * secondsBefore);
        await _store.AskAsync();
        // However long nobody sees any store.
        _time.Advance(TimeSpan.FromMinutes(4));
        _storage.BecomeAnother();

        Assert.Equal(may, (bool?)await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Confirmation_between_the_last_look_at_the_old_store_and_the_first_at_the_new_one_counts()
    {
        await _store.AskAsync();
        _time.Advance(Second);
        var confirmedAt = _store.Now;
        _time.Advance(Second);
        _storage.BecomeAnother();

        Assert.True(await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Owner_that_the_new_store_has_confirmed_has_nothing_to_write_back()
    {
        await _store.AskAsync();
        _storage.BecomeAnother();
        await _store.AskAsync();
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(await _healing.MayWriteBackAsync(_store.Now));
    }

    [Fact]
    public async Task Store_that_was_not_seen_for_longer_than_ends_are_remembered_is_not_written_back_to()
    {
        await _store.AskAsync();
        var confirmedAt = _store.Now;
        _time.Advance(Healing.Window + Second);
        _storage.BecomeAnother();

        Assert.False(await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Silo_that_was_declared_dead_writes_nothing_back()
    {
        await _serving.ProveAsync(TestContext.Current.CancellationToken);
        var confirmedAt = _store.Now;
        _storage.BecomeAnother();
        _standing = SiloStatus.Dead;
        await _serving.ProveAsync(TestContext.Current.CancellationToken);

        Assert.False(await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Silo_that_was_declared_dead_since_its_last_proof_asks_again_and_writes_nothing_back()
    {
        await _serving.ProveAsync(TestContext.Current.CancellationToken);
        var confirmedAt = _store.Now;
        _storage.BecomeAnother();
        _standing = SiloStatus.Dead;

        Assert.False(await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Silo_that_does_not_hear_whether_it_was_declared_dead_does_not_know_yet()
    {
        await _serving.ProveAsync(TestContext.Current.CancellationToken);
        var confirmedAt = _store.Now;
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _storage.BecomeAnother();
        _standing = null;

        Assert.Null(await _healing.MayWriteBackAsync(confirmedAt));
        _standing = SiloStatus.Active;
        Assert.True(await _healing.MayWriteBackAsync(confirmedAt));
    }

    [Fact]
    public async Task Answer_of_the_old_store_that_comes_after_the_new_one_s_is_no_change_back()
    {
        await _store.AskAsync();
        var late = new TaskCompletionSource<StoreProbe>();
        _watched.OnProbe = _ => late.Task;
        var overtaken = _store.AskAsync();
        _watched.OnProbe = null;
        _time.Advance(Second);
        _storage.BecomeAnother();
        await _store.AskAsync();
        var change = _store.LastChange;

        late.SetResult(new StoreProbe(null, new StoreIdentity("first")));
        await overtaken;
        await _store.AskAsync();

        Assert.NotNull(change);
        Assert.Same(change, _store.LastChange);
    }

    [Fact]
    public async Task What_was_ended_is_ended_again_before_anything_is_written_back()
    {
        await _store.AskAsync();
        var confirmedAt = _store.Now;
        var replaying = new TaskCompletionSource();
        _store.OnChange = () => _healing.Replayed = replaying.Task;
        _storage.BecomeAnother();

        var asking = _healing.MayWriteBackAsync(confirmedAt);
        await Until.TrueAsync(() => _store.LastChange is not null, "the change is noticed");
        Assert.False(asking.IsCompleted);
        replaying.SetResult();

        Assert.True(await asking);
    }

    [Fact]
    public async Task Tombstones_last_longer_while_somebody_may_not_have_heard_of_the_change()
    {
        await _store.AskAsync();
        var usual = _healing.Tombstone;
        _storage.BecomeAnother();
        await _store.AskAsync();

        Assert.Equal(usual + Healing.Window, _healing.Tombstone);
        _time.Advance(Healing.Window + Second);
        Assert.Equal(usual, _healing.Tombstone);
    }

    [Fact]
    public void Ends_are_remembered_for_five_minutes_and_not_without_bound()
    {
        for (var i = 0; i < RecentEnds.Most + 5; i++)
        {
            _healing.Ends.Add(SessionHandle.New(), SessionEndReason.Destroyed);
        }

        Assert.Equal(RecentEnds.Most, _healing.Ends.ToList().Count);
        _time.Advance(Healing.Window + Second);
        Assert.Empty(_healing.Ends.ToList());
    }
}
