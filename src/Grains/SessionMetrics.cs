using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SessionActors;

/// <summary>Every instrument of the silo side. Methods say what happened; the names are in docs/operations.md.</summary>
internal sealed class SessionMetrics
{
    public const string MeterName = "SessionActors";
    public const string SeekingName = "sessionactors.leases.waiting";
    public const string StoringName = "sessionactors.writes.waiting";
    public const string AcknowledgedName = "sessionactors.writes.behind";
    public const string LostName = "sessionactors.lost";

    private readonly Counter<long> _flushes;
    private readonly Counter<long> _deltas;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _unknown;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _touches;
    private readonly Counter<long> _leases;
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
    private long _acknowledged;

    public SessionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _flushes = meter.CreateCounter<long>("sessionactors.flushes", "{flush}", "Writes of pending deltas to the store.");
        _deltas = meter.CreateCounter<long>("sessionactors.deltas", "{delta}", "Deltas in those writes.");
        _fenced = meter.CreateCounter<long>("sessionactors.fenced", "{write}", "Writes refused because another owner claimed the session.");
        _reloads = meter.CreateCounter<long>("sessionactors.reloads", "{claim}", "Sessions claimed again with changes to re-apply.");
        _unknown = meter.CreateCounter<long>("sessionactors.unknown", "{write}", "Writes given up without an answer from the store.");
        _ended = meter.CreateCounter<long>("sessionactors.ended", "{session}", "Sessions ended, by reason.");
        _touches = meter.CreateCounter<long>("sessionactors.touches", "{touch}", "Renewals of a time-out in the store without a change.");
        _leases = meter.CreateCounter<long>("sessionactors.leases", "{lease}", "Leases granted: exclusive access to a session.");
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

    public void OnFlushed(int deltas)
    {
        _flushes.Add(1);
        _deltas.Add(deltas);
    }

    public void OnFenced(bool sameCluster) =>
        _fenced.Add(1, new KeyValuePair<string, object?>("by", sameCluster ? "own cluster" : "other cluster"));

    public void OnReloaded() => _reloads.Add(1);

    public void OnUnknown() => _unknown.Add(1);

    public void OnEnded(SessionEndReason reason) => _ended.Add(1, new TagList { { "reason", reason.ToString() } });

    public void OnTouched() => _touches.Add(1);

    public void OnLeaseGranted() => _leases.Add(1);

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
}
