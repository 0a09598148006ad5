using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SessionActors;

/// <summary>Every instrument of the silo side. Methods say what happened; the names are in docs/operations.md.</summary>
internal sealed class SessionMetrics
{
    public const string SeekingName = "sessionactors.leases.waiting";
    public const string StoringName = "sessionactors.writes.waiting";
    public const string AcknowledgedName = "sessionactors.writes.behind";
    public const string LostName = "sessionactors.lost";

    // Between a store in the same machine and one that is asked until its caller's patience is over. Buckets of .NET's own choice begin at
    // 5 s.
    private static readonly InstrumentAdvice<double> StoreSeconds =
        new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] };

    // Between what nobody else has and LeaseWait.
    private static readonly InstrumentAdvice<double> LeaseSeconds =
        new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60] };

    private static readonly InstrumentAdvice<long> Powers = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64] };

    private static readonly InstrumentAdvice<long> Bytes =
        new() { HistogramBucketBoundaries = [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20] };

    private readonly Histogram<double> _loadTime;
    private readonly Histogram<double> _flushTime;
    private readonly Histogram<long> _flushDeltas;
    private readonly Histogram<long> _flushSize;
    private readonly Counter<long> _commits;
    private readonly Counter<long> _limits;
    private readonly Counter<long> _tombstones;
    private readonly Counter<long> _redisErrors;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _unknown;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _touches;
    private readonly Counter<long> _savedTouches;
    private readonly Histogram<double> _leaseWait;
    private readonly Counter<long> _lostLeases;
    private readonly Counter<long> _validations;
    private readonly Counter<long> _guards;
    private readonly Counter<long> _lostGuards;
    private readonly Counter<long> _servingLeases;
    private readonly Counter<long> _healed;
    private readonly Counter<long> _replayed;
    private readonly UpDownCounter<long> _seeking;
    private readonly UpDownCounter<long> _storing;
    private readonly UpDownCounter<long> _behind;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _handOvers;
    private readonly Counter<long> _events;
    private LiveSessions? _live;
    private long _acknowledged;

    public SessionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(SessionTelemetry.Name);
        meter.CreateObservableUpDownCounter(
            "sessionactors.sessions.active", () => _live?.Count ?? 0, "{session}", "Sessions in this silo's memory.");
        _commits = meter.CreateCounter<long>("sessionactors.commits", "{commit}", "Changes that callers were answered for.");
        _loadTime = meter.CreateHistogram(
            "sessionactors.load.duration", "s", "Time until the store has given a session to this silo.", tags: null, StoreSeconds);
        _flushTime = meter.CreateHistogram(
            "sessionactors.flush.duration", "s", "Time until the store has answered a write of pending deltas.", tags: null, StoreSeconds);
        _flushDeltas = meter.CreateHistogram("sessionactors.flush.deltas", "{delta}", "Deltas in such a write.", tags: null, Powers);
        _flushSize = meter.CreateHistogram("sessionactors.flush.size", "By", "Names and values in such a write.", tags: null, Bytes);
        _limits = meter.CreateCounter<long>("sessionactors.limits", "{call}", "Calls that met a limit, by limit.");
        _tombstones = meter.CreateCounter<long>("sessionactors.tombstones", "{refusal}", "Steps refused because the session has ended.");
        _redisErrors = meter.CreateCounter<long>("sessionactors.redis.errors", "{error}", "Steps that Redis refused or did not answer.");
        _fenced = meter.CreateCounter<long>("sessionactors.fenced", "{write}", "Writes refused because another owner claimed the session.");
        _reloads = meter.CreateCounter<long>("sessionactors.reloads", "{claim}", "Sessions claimed again with changes to re-apply.");
        _unknown = meter.CreateCounter<long>("sessionactors.unknown", "{write}", "Writes given up without an answer from the store.");
        _ended = meter.CreateCounter<long>("sessionactors.ended", "{session}", "Sessions ended, by reason.");
        _touches = meter.CreateCounter<long>("sessionactors.touches", "{touch}", "Renewals of a time-out in the store without a change.");
        _savedTouches = meter.CreateCounter<long>(
            "sessionactors.touches.saved", "{touch}", "Activity that needed no renewal in the store yet.");
        _leaseWait = meter.CreateHistogram(
            "sessionactors.leases.wait_time", "s", "Time until a caller had a session to itself, or gave up.", tags: null, LeaseSeconds);
        _lostLeases = meter.CreateCounter<long>("sessionactors.leases.lost", "{lease}", "Leases that ended before they were given back.");
        _validations = meter.CreateCounter<long>(
            "sessionactors.validations", "{read}", "Times the store was asked whether somebody else has changed a session, by result.");
        _guards = meter.CreateCounter<long>("sessionactors.guards", "{guard}", "Times a session's guard was asked for, by result.");
        _lostGuards = meter.CreateCounter<long>("sessionactors.guards.lost", "{guard}", "Guards that were lost while they were held.");
        _healed = meter.CreateCounter<long>("sessionactors.healed", "{session}", "Sessions written back to a store that had lost them.");
        _replayed = meter.CreateCounter<long>(
            "sessionactors.replayed", "{session}", "Sessions ended again in a store that had forgotten their end.");
        _servingLeases = meter.CreateCounter<long>(
            "sessionactors.servingleases", "{change}", "Times a silo could no longer, or again, answer reads from memory, by change.");
        _seeking = meter.CreateUpDownCounter<long>(SeekingName, "{call}", "Calls that wait for a lease to end.");
        _storing = meter.CreateUpDownCounter<long>(StoringName, "{call}", "Calls that wait for their change to be stored.");
        _behind = meter.CreateUpDownCounter<long>(AcknowledgedName, "{delta}", "Changes acknowledged and not stored yet.");
        _lost = meter.CreateCounter<long>(LostName, "{delta}", "Acknowledged changes that are not stored, by why.");
        _handOvers = meter.CreateCounter<long>(
            "sessionactors.handovers", "{session}", "Previous owners that were asked to store what they had acknowledged, by result.");
        _events = meter.CreateCounter<long>(
            "sessionactors.events", "{event}", "Times an event was told to its handlers, by event and result.");
    }

    public void OnTold(SessionEventKind kind, bool isTaken) =>
        _events.Add(1, new TagList { { "event", kind.ToString() }, { "result", isTaken ? "told" : "failed" } });

    /// <summary>Has these sessions counted whenever somebody asks.</summary>
    public LiveSessions Counting(LiveSessions live) => _live = live;

    public void OnCommitted() => _commits.Add(1);

    public void OnNotCommitted(SessionException why)
    {
        if (why is SessionLeaseTimeoutException { MayWaitOn: true } or SessionUnavailableException { Moved: true })
        {
            // The same call comes again.
            return;
        }

        _commits.Add(1, Error(SessionTelemetry.TypeOf(why)));
        if (why is SessionLimitExceededException { Limit: var limit })
        {
            OnLimit(limit);
        }
    }

    public void OnLimit(string limit) => _limits.Add(1, new KeyValuePair<string, object?>("limit", limit));

    /// <summary>A step that changes nothing may have met a tombstone.</summary>
    public void OnRefused(StoreOutcome outcome)
    {
        if (outcome == StoreOutcome.Tombstone)
        {
            _tombstones.Add(1);
        }
    }

    public void OnRedisError(string step, string errorType) => _redisErrors.Add(
        1, new KeyValuePair<string, object?>("db.system.name", "redis"), new("db.operation.name", step), Error(errorType));

    public void OnLoaded(TimeSpan took, StoreOutcome outcome) => Record(_loadTime, took, outcome);

    /// <summary>The store has answered a flush, or will not.</summary>
    public void OnFlushed(TimeSpan took, StoreOutcome outcome, Flush flush)
    {
        Record(_flushTime, took, outcome);
        if (outcome is StoreOutcome.Written or StoreOutcome.AlreadyWritten)
        {
            _flushDeltas.Record(flush.Entries.Length);
            if (_flushSize.Enabled)
            {
                _flushSize.Record(flush.CountBytes());
            }
        }
    }

    public void OnFenced(bool sameCluster) =>
        _fenced.Add(1, new KeyValuePair<string, object?>("by", sameCluster ? "own cluster" : "other cluster"));

    public void OnReloaded() => _reloads.Add(1);

    public void OnUnknown() => _unknown.Add(1);

    public void OnEnded(SessionEndReason reason) => _ended.Add(1, new TagList { { "reason", reason.ToString() } });

    public void OnTouched() => _touches.Add(1);

    public void OnTouchSaved() => _savedTouches.Add(1);

    public void OnLeaseGranted(TimeSpan waited) => _leaseWait.Record(waited.TotalSeconds);

    public void OnLeaseRefused(TimeSpan waited, Exception why) =>
        _leaseWait.Record(waited.TotalSeconds, Error(SessionTelemetry.TypeOf(why)));

    public void OnLeaseLost() => _lostLeases.Add(1);

    public void OnValidated(bool changed) =>
        _validations.Add(1, new KeyValuePair<string, object?>("result", changed ? "changed" : "unchanged"));

    public void OnGuard(GuardOutcome outcome) => _guards.Add(1, new KeyValuePair<string, object?>("result", outcome switch
    {
        GuardOutcome.Held => "held",
        GuardOutcome.Busy => "busy",
        _ => "no majority",
    }));

    public void OnGuardLost() => _lostGuards.Add(1);

    public void OnHealed() => _healed.Add(1);

    public void OnReplayed() => _replayed.Add(1);

    public void OnServingLease(bool held) =>
        _servingLeases.Add(1, new KeyValuePair<string, object?>("change", held ? "regained" : "lost"));

    public void OnSeeking() => _seeking.Add(1);

    public void OnSought() => _seeking.Add(-1);

    public void OnStoring() => _storing.Add(1);

    public void OnStored() => _storing.Add(-1);

    /// <summary>How many changes are acknowledged and not stored yet, in all sessions.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    public void OnAcknowledged()
    {
        Interlocked.Increment(ref _acknowledged);
        _behind.Add(1);
    }

    public void OnSettled()
    {
        Interlocked.Decrement(ref _acknowledged);
        _behind.Add(-1);
    }

    public void OnHandOver(string result) => _handOvers.Add(1, new KeyValuePair<string, object?>("result", result));

    public void OnLost(long deltas, string why) => _lost.Add(deltas, new KeyValuePair<string, object?>("why", why));

    private static void Record(Histogram<double> histogram, TimeSpan took, StoreOutcome outcome)
    {
        if (outcome is StoreOutcome.Written or StoreOutcome.AlreadyWritten)
        {
            histogram.Record(took.TotalSeconds);
        }
        else
        {
            histogram.Record(took.TotalSeconds, Error(outcome.ToString()));
        }
    }

    private static KeyValuePair<string, object?> Error(string type) => new(SessionTelemetry.ErrorType, type);
}
