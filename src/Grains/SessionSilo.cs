using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>What all sessions of a silo share. One object, so that an activation holds one reference to it.</summary>
internal sealed class SessionSilo(
    IOptions<SessionActorsOptions> options,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time,
    OwnerNames names,
    ILogger<SessionGrain> logger,
    SessionMetrics metrics,
    RedlockGuard guard,
    ServingLease serving,
    Healing healing,
    PreviousOwners previousOwners,
    UserLists users,
    EventTeller? events)
{
    // A Redis of a tenth of the usual speed has answered so many within the client's time-out.
    private const int ReleasesAtOnce = 4096;

    private readonly long _began = time.GetTimestamp();
    private volatile bool _isStopping;

    public SessionActorsOptions Options { get; } = options.Value;

    /// <summary>The clock of the grains: all idle times and deadlines are measured on it.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>The time that elapsed on that clock since the silo began.</summary>
    public TimeSpan Now => Time.GetElapsedTime(_began);

    public ILogger Logger { get; } = logger;

    public SessionMetrics Metrics { get; } = metrics;

    /// <summary>Whether this silo may answer reads from memory now.</summary>
    public ServingLease Serving { get; } = serving;

    /// <summary>When a session may be written back to a store that has lost it.</summary>
    public Healing Healing { get; } = healing;

    /// <summary>The lists of users' sessions.</summary>
    public UserLists Users { get; } = users;

    /// <summary>Who tells of what happens to sessions; null where nobody wants to hear.</summary>
    public EventTeller? Events { get; } = events is { IsOn: true } ? events : null;

    /// <summary>The sessions in this silo's memory.</summary>
    public LiveSessions Live { get; } = metrics.Counting(new LiveSessions());

    /// <summary>
    /// Room for sessions that are given back to the store at the same time. A silo that stops gives back all it has: sent at once, they
    /// would wait for each other until the store's client gives them up.
    /// </summary>
    public SemaphoreSlim Releases { get; } = new(ReleasesAtOnce);

    /// <summary>Who is asked to store what it has acknowledged before a session is claimed; null where all is written through.</summary>
    public PreviousOwners? PreviousOwners { get; } = options.Value.FlushMode == FlushMode.WriteBehind ? previousOwners : null;

    /// <summary>Whether the host is stopping, so that nothing may be acknowledged any more before it is stored.</summary>
    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>What keeps other clusters' writers out; null where there are none to expect.</summary>
    public RedlockGuard? Guard { get; } = options.Value.CrossCluster is null ? null : guard;

    /// <summary>The names of owners that sessions in the store carry.</summary>
    public OwnerNames Names { get; } = names;
}
