using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;

namespace SessionActors;

/// <summary>
/// Silos in the test's own process, over a storage that the test gives them. The grains' clock moves when the test moves it; the silos' own
/// clocks are real, because a silo whose every clock is faked can hang.
/// </summary>
internal sealed class SessionCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private readonly TimeProvider _time;

    private readonly MeterListener _listener = new();

    private long _seeking;

    private long _storing;

    private long _behind;

    private long _lost;

    private readonly ConcurrentDictionary<string, int> _calls;

    private readonly HashSet<IMeterFactory> _meters;

    private SessionCluster(
        InProcessTestCluster cluster, TimeProvider time, WatchedStorage storage, ConcurrentDictionary<string, int> calls)
    {
        _cluster = cluster;
        _calls = calls;
        _time = time;
        Storage = storage;
        _meters = cluster.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<IMeterFactory>()).ToHashSet();
        _listener.SetMeasurementEventCallback<long>((instrument, by, _, _) =>
            Interlocked.Add(
                ref instrument.Name == SessionMetrics.SeekingName ? ref _seeking
                : ref instrument.Name == SessionMetrics.StoringName ? ref _storing
                : ref instrument.Name == SessionMetrics.AcknowledgedName ? ref _behind
                : ref _lost,
                by));
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is SessionMetrics.SeekingName or SessionMetrics.StoringName
                    or SessionMetrics.AcknowledgedName or SessionMetrics.LostName
                && Owns(instrument))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.Start();
    }

    /// <summary>The grains' clock, where the test has given one that it moves.</summary>
    public FakeTimeProvider Time => (FakeTimeProvider)_time;

    public WatchedStorage Storage { get; }

    public InProcessTestCluster Silos => _cluster;

    /// <summary>Whether an instrument counts what happens in these silos.</summary>
    public bool Owns(Instrument instrument) => instrument.Meter.Scope is IMeterFactory meters && _meters.Contains(meters);

    /// <summary>Waits until so many calls wait for the end of a lease.</summary>
    public Task WaitingAsync(int calls) =>
        Until.TrueAsync(() => Interlocked.Read(ref _seeking) == calls, $"{calls} calls wait for a lease to end");

    /// <summary>Waits until so many calls wait for their change to be stored, those of a flush under way included.</summary>
    public Task StoringAsync(int calls) =>
        Until.TrueAsync(() => Interlocked.Read(ref _storing) == calls, $"{calls} calls wait for the store");

    /// <summary>How many changes are acknowledged and not stored.</summary>
    public long Unstored => Interlocked.Read(ref _behind);

    /// <summary>How many acknowledged changes were not stored in the end.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Waits until so many changes are acknowledged and not stored.</summary>
    public Task UnstoredAsync(int changes) =>
        Until.TrueAsync(() => Unstored == changes, $"{changes} changes are acknowledged and not stored");

    /// <summary>Lets the grains' time pass until everything acknowledged is stored.</summary>
    public Task StoredAsync() => Until.TrueAsync(
        () =>
        {
            Time.Advance(TimeSpan.FromMilliseconds(200));
            return Unstored == 0;
        },
        "all that is acknowledged is stored");

    /// <summary>Waits until so many calls wait for one of the two.</summary>
    public Task ArrivedAsync(int calls) => Until.TrueAsync(
        () => Interlocked.Read(ref _seeking) + Interlocked.Read(ref _storing) == calls,
        $"{calls} calls wait for a lease or the store");

    /// <summary>How many calls of a grain's method have come since the start.</summary>
    public int Arrived(string method) => _calls.GetValueOrDefault(method);

    /// <summary>Waits until so many calls of a grain's method have come since the start, those that have ended included.</summary>
    public Task ArrivedAsync(string method, int calls) =>
        Until.TrueAsync(() => Arrived(method) >= calls, $"{calls} calls of {method} have come");

    public static Task<SessionCluster> StartAsync(short silos = 1, Action<SessionActorsOptions>? configure = null)
    {
        var time = new FakeTimeProvider();
        return StartAsync(new ModelSessionStorage(time), time, silos, configure);
    }

    /// <summary>Starts a cluster over a storage that others may use too.</summary>
    public static async Task<SessionCluster> StartAsync(
        ISessionStorage storage,
        TimeProvider time,
        short silos = 1,
        Action<SessionActorsOptions>? configure = null,
        string? clusterId = null,
        Action<ISiloBuilder>? configureSilo = null)
    {
        var watched = new WatchedStorage(storage);
        var calls = new ConcurrentDictionary<string, int>();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.Options.ClusterId = clusterId ?? builder.Options.ClusterId;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddKeyedSingleton(TimeProviderNames.Grains, time);
            silo.Services.AddSingleton<ISessionStorage>(watched);
            // Where nobody hears of events, any will do.
            silo.Services.AddSingleton(storage as IEventStorage ?? new ModelSessionStorage(time));
            silo.AddMemoryGrainStorage(CookieKeysGrain.StorageName);
            silo.AddMemoryGrainStorage(UserSessionPages.StorageName);
            silo.AddSessionActors(options =>
            {
                // Tests that are not about it must not depend on how fast it is proved.
                options.ServingLease = TimeSpan.FromHours(1);
                configure?.Invoke(options);
            });
            configureSilo?.Invoke(silo);
            silo.AddIncomingGrainCallFilter(call =>
            {
                calls.AddOrUpdate(call.InterfaceMethod.Name, 1, (_, count) => count + 1);
                return call.Invoke();
            });
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new SessionCluster(cluster, time, watched, calls);
    }

    public ISessionGrain Session(SessionHandle handle) => _cluster.Client.GetGrain<ISessionGrain>(handle);

    public IUserSessionsGrain User(string id) => _cluster.Client.GetGrain<IUserSessionsGrain>(id);

    /// <summary>Creates a session with one property, and a cookie's secret if one is given.</summary>
    public async Task<ISessionGrain> NewSessionAsync(SecretHash? secret = null, SessionHandle? handle = null, TimeSpan? ttl = null)
    {
        var session = Session(handle ?? SessionHandle.New());
        var delta = SessionDelta.Empty.Set("first", "1"u8);
        await session.CreateAsync(
            new NewSession { Secret = secret, Delta = ttl is { } own ? delta.WithTtl(own) : delta }, SessionRequest.New());
        return session;
    }

    /// <summary>How its first silo is called as an owner, and who else is.</summary>
    public OwnerNames Names => Silos.Silos[0].ServiceProvider.GetRequiredService<OwnerNames>();

    /// <summary>A silo of the same cluster, which does not know of it.</summary>
    public string OtherSilo
    {
        get
        {
            var here = Names.SiloOf(Names.Here);
            var other = SiloAddress.New(here.Endpoint, here.Generation + 1);
            return Names.Here.Replace(here.ToParsableString(), other.ToParsableString(), StringComparison.Ordinal);
        }
    }

    /// <summary>Takes the session out of memory in an orderly way, as Orleans does with idle ones.</summary>
    public Task DeactivateAsync(ISessionGrain session) =>
        Until.Async(_cluster.DeactivateAsync(session), "the session is deactivated");

    /// <summary>Lets the grains' time pass while a call is under way, so that its pauses between two tries end.</summary>
    public async Task<T> MoveTimeAsync<T>(Task<T> call)
    {
        await Until.TrueAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromMilliseconds(20));
                return call.IsCompleted;
            },
            "a call that retries is answered");
        return await call;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return _cluster.DisposeAsync();
    }
}
