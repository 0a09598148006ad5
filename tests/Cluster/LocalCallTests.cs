using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace SessionActors;

/// <summary>What the web server beside a silo changes without a message to the session's grain.</summary>
public sealed class LocalCallTests : IAsyncLifetime
{
    private static readonly SecretHash Secret = SecretHash.Of([1]);
    private static readonly SessionDelta Change = SessionDelta.Empty.Set("a", "x"u8);

    private readonly SessionHandle _handle = SessionHandle.New();
    private SessionCluster _cluster = null!;
    private ISessionGrain _session = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync();
        _session = await _cluster.NewSessionAsync(Secret, _handle);
        await _session.OpenAsync(Secret, slide: true);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_change_is_made_in_a_turn_of_the_grain_and_without_a_message()
    {
        Assert.Equal(2, await Called(grain => grain.CommitAsync(Change, SessionRequest.New())));

        Assert.Equal(2, (await _session.ReadAsync())!.Version);
        Assert.Equal(0, _cluster.Arrived("CommitAsync"));
    }

    [Fact]
    public async Task Parallel_increments_by_calls_and_by_messages_count_all()
    {
        var calls = Enumerable.Range(0, 200).Select(i => i % 2 == 0
            ? Local.TryCall(_handle, grain => grain.IncrementAsync("n", 1, SessionRequest.New()))
                ?? _session.IncrementAsync("n", 1, SessionRequest.New())
            : _session.IncrementAsync("n", 1, SessionRequest.New()));

        var counts = await Task.WhenAll(calls);

        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), counts.Order());
    }

    [Fact]
    public async Task A_change_that_is_refused_is_refused_with_the_grains_own_exception()
    {
        var over = SessionDelta.Empty.Set("a", new byte[(64 * 1024) + 1]);

        await Assert.ThrowsAsync<SessionLimitExceededException>(() => Called(grain => grain.CommitAsync(over, SessionRequest.New())));
    }

    [Fact]
    public async Task The_same_call_by_both_ways_is_made_once()
    {
        var request = SessionRequest.New();

        Assert.Equal(1, await Called(grain => grain.IncrementAsync("n", 1, request)));

        Assert.Equal(1, await _session.IncrementAsync("n", 1, request with { UnansweredFor = TimeSpan.FromSeconds(1) }));
    }

    [Theory]
    [InlineData("destroyed")]
    [InlineData("deactivated")]
    [InlineData("nobody's")]
    public async Task What_is_not_in_memory_takes_no_call(string what)
    {
        await (what switch
        {
            "destroyed" => _session.DestroyAsync(),
            "deactivated" => _cluster.DeactivateAsync(_session),
            _ => Task.CompletedTask,
        });

        Assert.Null(Local.TryCall(
            what == "nobody's" ? SessionHandle.New() : _handle, grain => grain.CommitAsync(Change, SessionRequest.New())));
    }

    [Fact]
    public async Task An_activation_that_leaves_takes_no_call_and_stores_what_it_has_taken()
    {
        var gate = _cluster.Storage.Hold("commit");
        var taken = Called(grain => grain.CommitAsync(Change, SessionRequest.New()));
        await gate.ArrivedAsync();
        var leaving = _cluster.DeactivateAsync(_session);
        await Until.TrueAsync(() => Local.TryOpen(_handle, Secret, slide: false) is null, "the activation leaves");

        Assert.Null(Local.TryCall(_handle, grain => grain.CommitAsync(Change, SessionRequest.New())));

        gate.Open();
        Assert.Equal(2, await taken);
        await leaving;
        Assert.Equal(2, (await _session.ReadAsync())!.Version);
    }

    [Fact]
    public async Task What_is_only_called_without_messages_is_not_collected()
    {
        // Orleans' own age of collection is short here; a call asks for SessionActors', which is five minutes.
        await using var cluster = await SessionCluster.StartAsync(
            new ModelSessionStorage(TimeProvider.System), TimeProvider.System,
            configureSilo: silo => silo.Configure<GrainCollectionOptions>(collection =>
            {
                collection.CollectionQuantum = TimeSpan.FromSeconds(1);
                collection.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!] = TimeSpan.FromSeconds(2);
            }));
        var local = LocalOf(cluster);
        var (used, idle) = (SessionHandle.New(), SessionHandle.New());
        foreach (var handle in new[] { used, idle })
        {
            await (await cluster.NewSessionAsync(Secret, handle)).OpenAsync(Secret, slide: true);
        }

        await local.TryCall(used, grain => grain.CommitAsync(Change, SessionRequest.New()))!;

        await Until.TrueAsync(() => !local.Has(idle), "the session that nobody calls is collected");
        Assert.True(local.Has(used));
    }

    [Fact]
    public async Task What_a_call_begins_goes_on_without_what_is_ambient_for_its_caller_but_for_the_trace()
    {
        var ambient = new AsyncLocal<string?> { Value = "the caller's" };
        using var trace = new Activity("a caller's").Start();
        string? seen = "nothing", stored = "nothing";
        Activity? traced = null;
        _cluster.Storage.OnStep = (_, run) =>
        {
            stored = ambient.Value;
            return run();
        };

        await Called(grain =>
        {
            (seen, traced) = (ambient.Value, Activity.Current);
            return grain.CommitAsync(Change, SessionRequest.New());
        });

        Assert.Null(seen);
        Assert.Null(stored);
        Assert.Same(trace, traced);
    }

    [Fact]
    public async Task A_call_that_nobody_answers_is_given_up_after_as_long_as_a_message()
    {
        var gate = _cluster.Storage.Hold("commit");
        var call = _session.RepeatAsync(
            SessionRequest.New(), request => Called(grain => grain.CommitAsync(Change, request)), _cluster.Time, Stop);
        await gate.ArrivedAsync();

        await Until.TrueAsync(
            () =>
            {
                _cluster.Time.Advance(TimeSpan.FromSeconds(1));
                return call.IsCompleted;
            },
            "the call is given up");

        Assert.True((await Assert.ThrowsAsync<SessionUnavailableException>(() => call)).MayBeApplied);
        gate.Open();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ILocalSessions Local => LocalOf(_cluster);

    private static ILocalSessions LocalOf(SessionCluster cluster) =>
        cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<ILocalSessions>();

    private Task<T> Called<T>(Func<ISessionGrain, Task<T>> call) =>
        Local.TryCall(_handle, call) ?? throw new InvalidOperationException("The session is in memory, and takes no call.");
}
