using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace SessionActors;

/// <summary>What clients did and saw, and what the store did, for the checks at the end.</summary>
internal sealed class SimRecord
{
    private readonly Dictionary<SessionHandle, SimStoreLog> _stored = [];
    private long _moment;

    public SimRecord() => Calls = new CallHistory<SessionCall>(() => ++_moment);

    public CallHistory<SessionCall> Calls { get; }

    /// <summary>The calls by their request ids, with the version that each was answered.</summary>
    public List<SentCall> Sent { get; } = [];

    /// <summary>Every state of a session that was shown to somebody.</summary>
    public List<SeenState> Seen { get; } = [];

    public List<SeenLease> Leases { get; } = [];

    /// <summary>What must not happen whatever the history.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>When the store lost what it had.</summary>
    public List<long> Losses { get; } = [];

    /// <summary>When it did so last.</summary>
    public long LastLoss => Losses.LastOrDefault();

    public long Moment => _moment;

    public IEnumerable<SessionHandle> Sessions => _stored.Keys;

    public SimStoreLog StoredOf(SessionHandle session)
    {
        if (!_stored.TryGetValue(session, out var log))
        {
            _stored.Add(session, log = new SimStoreLog());
        }

        return log;
    }

    public SentCall Begin(SessionHandle session, SessionCall call, RequestId id)
    {
        var sent = new SentCall(session, id, Calls.Begin(session.LogName, call));
        Sent.Add(sent);
        return sent;
    }

    /// <summary>The store went back to an older state.</summary>
    public void Lost() => Losses.Add(++_moment);

    /// <summary>The store has applied a flush.</summary>
    public void Applied(SessionHandle session, Flush flush, StoredSession after)
    {
        StoredOf(session).Add(flush, after);
        _moment++;
        foreach (var entry in flush.Entries)
        {
            AppliedAt[entry.Id] = _moment;
        }
    }

    /// <summary>When a call was applied last.</summary>
    public Dictionary<RequestId, long> AppliedAt { get; } = [];

    /// <summary>The properties as the model has them: texts, and the counter as a number.</summary>
    public static ImmutableSortedDictionary<string, string> Texts(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties) =>
        properties.ToImmutableSortedDictionary(
            property => property.Key, property => Text(property.Key, property.Value.Span), StringComparer.Ordinal);

    public static string Text(string name, ReadOnlySpan<byte> value) => name != SimNames.Counter ? Encoding.UTF8.GetString(value)
        : value.Length == 4 ? $"{BinaryPrimitives.ReadInt32BigEndian(value)}"
        : $"{BinaryPrimitives.ReadInt64BigEndian(value)}";
}

/// <summary>The properties that clients use.</summary>
internal static class SimNames
{
    public const string Counter = "n";
    public const string Ticket = "t";

    /// <summary>Two that are always set together, to the same.</summary>
    public const string Left = "left";
    public const string Right = "right";

    public const string Audit = "audit";
}

/// <summary>A call that was sent, however often.</summary>
internal sealed record SentCall(SessionHandle Session, RequestId Id, CallHistory<SessionCall>.OpenCall Call)
{
    /// <summary>The version that a commit was answered.</summary>
    public long? Version { get; set; }

    /// <summary>When it was answered with success, on the simulation's clock.</summary>
    public TimeSpan? AnsweredAt { get; set; }
}

/// <summary>A state of a session that was shown to somebody, and when they began to ask for it.</summary>
internal sealed record SeenState(SessionHandle Session, SessionSnapshot Snapshot, TimeSpan BegunAt);

/// <summary>A lease that was granted, and what was done under it.</summary>
internal sealed record SeenLease(SessionHandle Session, long Token, long FromVersion, HashSet<RequestId> Calls);

/// <summary>All that the store has done to one session.</summary>
internal sealed class SimStoreLog
{
    private readonly HashSet<(long Version, string State)> _ever = [];
    private readonly HashSet<long> _between = [];
    private List<(long Version, RequestId Id)> _applied = [];

    /// <summary>What was applied, in order, and not lost.</summary>
    public IReadOnlyList<(long Version, RequestId Id)> Applied => _applied;

    public void Add(Flush flush, StoredSession after)
    {
        var version = flush.FromVersion;
        foreach (var entry in flush.Entries)
        {
            _between.Add(version);
            _applied.Add((++version, entry.Id));
        }

        _between.Remove(flush.FromVersion);
        _ever.Add((after.Version, Describe(after.Version, after.Generation, after.Properties)));
    }

    /// <summary>Whether the session ever was like this.</summary>
    public bool Was(SessionSnapshot seen) =>
        _ever.Contains((seen.Version, Describe(seen.Version, seen.Generation, seen.Properties)));

    /// <summary>
    /// Whether a version was passed between the first and the last change of a flush. What the session was then nobody here knows; another
    /// silo may have made the same changes one by one, and finds itself there.
    /// </summary>
    public bool Passed(long version) => _between.Contains(version);

    /// <summary>Remembers what has happened so far, and returns what makes all that came later unhappen.</summary>
    public Action Save()
    {
        var saved = _applied.ToList();
        return () => _applied = [.. saved];
    }

    private static string Describe(long version, int generation, ImmutableDictionary<string, ReadOnlyMemory<byte>> properties) =>
        $"{version} {generation} {string.Join(' ', SimRecord.Texts(properties).Select(property => $"{property.Key}={property.Value}"))}";
}
