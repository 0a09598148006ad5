using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors.UnitTests.Grains;

public sealed class ServingLeaseTests : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Meters _meters = new();
    private readonly MeterListener _listener = new();
    private readonly List<string> _changes = [];
    private readonly WatchedStorage _storage;
    private Func<Task<SiloStatus>> _standing = () => Task.FromResult(SiloStatus.Active);

    public ServingLeaseTests()
    {
        _storage = new WatchedStorage(new ModelSessionStorage(_time));
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == _meters && instrument.Name == "sessionactors.servingleases")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _changes.Add($"{tags[0].Value}"));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public async Task Proof_counts_for_its_length_and_no_longer()
    {
        var lease = NewLease();
        Assert.False(lease.IsHeld);

        await lease.ProveAsync(TestContext.Current.CancellationToken);
        Assert.True(lease.IsHeld);

        _time.Advance(Length - Instant);
        Assert.True(lease.IsHeld);
        _time.Advance(Instant);
        Assert.False(lease.IsHeld);
    }

    [Fact]
    public async Task Proof_counts_from_when_it_was_asked_for()
    {
        var lease = NewLease();
        var answer = new TaskCompletionSource<StoreProbe>();
        _storage.OnProbe = _ => answer.Task;

        var proving = lease.ProveAsync(TestContext.Current.CancellationToken);
        _time.Advance(Length - Instant);
        answer.SetResult(new StoreProbe(null));
        await proving;

        Assert.True(lease.IsHeld);
        _time.Advance(Instant);
        Assert.False(lease.IsHeld);
    }

    [Fact]
    public async Task Answer_that_waited_for_the_end_of_a_pause_proves_nothing()
    {
        var lease = NewLease();
        await lease.ProveAsync(TestContext.Current.CancellationToken);
        var standing = new TaskCompletionSource<SiloStatus>();
        _standing = () => standing.Task;

        var proving = lease.ProveAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(lease.IsHeld);
        standing.TrySetResult(SiloStatus.Active);
        await proving;

        Assert.False(lease.IsHeld);
    }

    [Theory]
    [InlineData(SiloStatus.Dead)]
    [InlineData(SiloStatus.None)]
    [InlineData(SiloStatus.ShuttingDown)]
    public async Task Silo_that_the_table_does_not_call_active_stops_at_once(SiloStatus status)
    {
        var lease = NewLease();
        await lease.ProveAsync(TestContext.Current.CancellationToken);

        _standing = () => Task.FromResult(status);
        await lease.ProveAsync(TestContext.Current.CancellationToken);

        Assert.False(lease.IsHeld);
        Assert.Equal(["lost"], _changes);
    }

    [Fact]
    public async Task Store_or_table_out_of_reach_lets_the_last_proof_run_out_and_the_next_one_counts_again()
    {
        var lease = NewLease();
        await lease.ProveAsync(TestContext.Current.CancellationToken);

        _storage.OnProbe = _ => Task.FromResult(new StoreProbe(new IOException("cut")));
        _time.Advance(Length / 2);
        await lease.ProveAsync(TestContext.Current.CancellationToken);
        Assert.True(lease.IsHeld);
        _storage.OnProbe = null;
        _standing = () => Task.FromException<SiloStatus>(new IOException("cut"));
        _time.Advance(Length / 2);
        await lease.ProveAsync(TestContext.Current.CancellationToken);
        await lease.ProveAsync(TestContext.Current.CancellationToken);
        Assert.False(lease.IsHeld);

        _standing = () => Task.FromResult(SiloStatus.Active);
        await lease.ProveAsync(TestContext.Current.CancellationToken);
        await lease.ProveAsync(TestContext.Current.CancellationToken);

        Assert.True(lease.IsHeld);
        Assert.Equal(["lost", "regained"], _changes);
    }

    [Fact]
    public async Task Running_silo_proves_it_before_it_serves_and_three_times_per_lease()
    {
        var proofs = 0;
        var lease = NewLease();
        _storage.OnProbe = run =>
        {
            Interlocked.Increment(ref proofs);
            return run();
        };

        await lease.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(lease.IsHeld);
        await Until.TrueAsync(
            () =>
            {
                _time.Advance(Length / 30);
                return Volatile.Read(ref proofs) >= 7;
            },
            "it is proved again and again");
        Assert.True(lease.IsHeld);
        await lease.StopAsync(TestContext.Current.CancellationToken);
        _time.Advance(Length);

        Assert.False(lease.IsHeld);
    }

    [Fact]
    public async Task Zero_never_lets_memory_answer_and_asks_for_no_proof()
    {
        var lease = NewLease(TimeSpan.Zero);
        _storage.OnProbe = _ => throw new InvalidOperationException("Nobody asks.");

        await lease.StartAsync(TestContext.Current.CancellationToken);
        await lease.StopAsync(TestContext.Current.CancellationToken);

        Assert.False(lease.IsHeld);
        Assert.False(lease.IsOn);
        Assert.Empty(_changes);
    }

    private ServingLease NewLease(TimeSpan? length = null) => new(
        Options.Create(new SessionActorsOptions { ServingLease = length ?? Length }),
        new StoreWatch(_storage, new StubSilo(1).Names, _time, NullLogger<StoreWatch>.Instance),
        _ => _standing(),
        _time,
        new SessionMetrics(_meters),
        NullLogger<ServingLease>.Instance);

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _made = [];

        public Meter Create(MeterOptions options)
        {
            options.Scope = this;
            _made.Add(new Meter(options));
            return _made[^1];
        }

        public void Dispose() => _made.ForEach(meter => meter.Dispose());
    }
}
