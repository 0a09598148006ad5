using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>One silo of the simulated cluster, from its start to its death.</summary>
internal sealed class SimSilo
{
    private static readonly SessionMetrics Metrics = new(new StubMeters());

    private readonly List<SimActivation> _activations = [];
    private readonly SimProcess _process;
    private bool _isPaused;

    public SimSilo(int number, SimScheduler scheduler, SimStore store, SessionActorsOptions options)
    {
        Name = $"silo{number}";
        _process = new SimProcess(scheduler, Name);
        var details = new StubSilo(number);
        Storage = store.For(Name);
        var watch = new StoreWatch(Storage, details.Names, scheduler.Clock, NullLogger<StoreWatch>.Instance);
        Serving = new ServingLease(
            Options.Create(options),
            watch,
            _ => Task.FromResult(IsExpelled ? SiloStatus.Dead : SiloStatus.Active),
            scheduler.Clock,
            Metrics,
            NullLogger<ServingLease>.Instance);
        var wrapped = Options.Create(options);
        Shared = new SessionSilo(
            wrapped,
            scheduler.Clock,
            details.Names,
            new TraceLogger(scheduler, Name),
            Metrics,
            new RedlockGuard(wrapped, NullLogger<RedlockGuard>.Instance),
            Serving,
            new Healing(wrapped, watch, Serving),
            // Written through, nobody asks a previous owner; nobody signs in, and nobody hears of events.
            previousOwners: null!,
            users: null!,
            events: null);
        Runtime = new StubRuntime(details.SiloAddress, scheduler.Clock);
        // The lease's own loop runs on the thread pool, and this one in the silo's turns.
        _process.Begin(async () =>
        {
            while (true)
            {
                await Serving.ProveAsync(CancellationToken.None);
                await Task.Delay(options.ServingLease / 3, scheduler.Clock);
            }
        });
    }

    public string Name { get; }

    public SessionSilo Shared { get; }

    public ISessionStorage Storage { get; }

    public StubRuntime Runtime { get; }

    public ServingLease Serving { get; }

    public bool IsDead { get; private set; }

    /// <summary>Whether the others have declared it dead, whatever it thinks of it.</summary>
    public bool IsExpelled { get; set; }

    public bool IsPaused
    {
        get => _isPaused;
        set
        {
            _isPaused = _process.IsPaused = value;
            _activations.ForEach(activation => activation.Process.IsPaused = value);
        }
    }

    public IReadOnlyList<SimActivation> Activations => _activations;

    public void Add(SimActivation activation)
    {
        _activations.Add(activation);
        activation.Process.IsPaused = _isPaused;
    }

    /// <summary>Nothing of it is ever gone on with.</summary>
    public void Die()
    {
        IsDead = true;
        _process.Die();
        _activations.ForEach(activation => activation.Process.Die());
    }

    private sealed class StubMeters : System.Diagnostics.Metrics.IMeterFactory
    {
        public System.Diagnostics.Metrics.Meter Create(System.Diagnostics.Metrics.MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }

    private sealed class TraceLogger(SimScheduler scheduler, string name) : ILogger<SessionGrain>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            scheduler.Note(() => $"{name}: {formatter(state, exception)}");
    }
}
