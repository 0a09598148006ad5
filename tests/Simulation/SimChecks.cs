namespace SessionActors;

/// <summary>What must be so after a run, by its <see cref="SimKind"/>.</summary>
internal static class SimChecks
{
    public static IEnumerable<string> ProblemsOf(SimRecord record, SimKind kind, TimeSpan servingLease) =>
    [
        .. record.Problems,
        .. Orders(record, kind),
        .. Strangers(record),
        .. Old(record, kind, servingLease),
        .. Once(record),
        .. Acknowledged(record),
        .. Leases(record, kind),
        .. Revived(record),
    ];

    private static IReadOnlyList<string> Orders(SimRecord record, SimKind kind)
    {
        if (kind == SimKind.Losses)
        {
            return [];
        }

        var applied = new Dictionary<RequestId, long>();
        foreach (var (version, id) in record.Sessions.SelectMany(session => record.StoredOf(session).Applied))
        {
            applied.TryAdd(id, version);
        }

        var model = new SessionModel(isThere: false);
        return Linearizability.ProblemsOf(
            record.Sent.Select(sent => kind == SimKind.OneActivation ? sent.Call.Record : Weakened(sent)).OfType<CallRecord<SessionCall>>(),
            model,
            most: 100_000);

        // What an activation tells from its memory, that nothing is to do included, may be old while there are two: only what the store did
        // is looked at. The last read follows a change by the same activation, and so is not old. For the same reason a call that one of
        // them had nothing to do for may be done by the other, later.
        CallRecord<SessionCall>? Weakened(SentCall sent) => sent.Call.Record switch
        {
            { End: not CallEnd.Answered } or { Call.Kind: SessionCallKind.Destroy } or { Call.Name: SimNames.Audit } => sent.Call.Record,
            _ when !applied.ContainsKey(sent.Id) => null,
            var answered when model.ChangesNothing(answered.Call) || (sent.Version ?? applied[sent.Id]) != applied[sent.Id] =>
                answered with { End = CallEnd.Unknown },
            var answered => answered,
        };
    }

    /// <summary>Nobody sees what the session never was: half a change, a mix of two histories, another's values.</summary>
    private static IEnumerable<string> Strangers(SimRecord record) => record.Seen
        .Where(seen => !record.StoredOf(seen.Session).Was(seen.Snapshot)
            && !(record.StoredOf(seen.Session).Passed(seen.Snapshot.Version) && IsWhole(record, seen)))
        .Select(seen => $"{seen.Session.LogName}: somebody saw version {seen.Snapshot.Version} as it never was: "
            + string.Join(' ', SimRecord.Texts(seen.Snapshot.Properties).Select(property => $"{property.Key}={property.Value}")));

    /// <summary>
    /// Whether what are always set together are the same, and every value is one that was sent for that property and session.
    /// </summary>
    private static bool IsWhole(SimRecord record, SeenState seen)
    {
        var texts = SimRecord.Texts(seen.Snapshot.Properties);
        var sent = record.Sent.Where(sent => sent.Session == seen.Session).Select(sent => sent.Call.Record.Call).ToArray();
        return texts.GetValueOrDefault(SimNames.Left) == texts.GetValueOrDefault(SimNames.Right)
            && texts.Where(text => text.Key != SimNames.Counter).All(text => Array.Exists(
                sent, call => call.Sets.Contains(text) || (call.Name == text.Key && call.Value == text.Value)));
    }

    /// <summary>Nobody sees what is older than the lease, be there as many activations as there may.</summary>
    private static IEnumerable<string> Old(SimRecord record, SimKind kind, TimeSpan servingLease) =>
        from seen in kind == SimKind.Losses ? [] : record.Seen
        let newest = record.Sent
            .Where(sent => sent.Session == seen.Session && sent.AnsweredAt + servingLease < seen.BegunAt)
            .MaxBy(sent => sent.Call.Record.Call.Kind == SessionCallKind.Destroy ? long.MaxValue : sent.Version ?? 0)
        where newest?.Call.Record.Call is { Kind: SessionCallKind.Destroy } || newest?.Version > seen.Snapshot.Version
        select $"{seen.Session.LogName}: somebody asked at {seen.BegunAt} and saw version {seen.Snapshot.Version}, long after "
            + $"{newest.Call.Record} was answered, with version {newest.Version}, at {newest.AnsweredAt}";

    /// <summary>
    /// Each call is applied once at most, and one that was refused not at all: unless the store then forgets who had the session, and an
    /// earlier try comes in after that.
    /// </summary>
    private static IEnumerable<string> Once(SimRecord record)
    {
        var refused = record.Sent
            .Where(sent => sent.Call.Record.End == CallEnd.Refused && !IsForgotten(sent.Id, sent.Call.Record.Until))
            .ToDictionary(sent => sent.Id);
        foreach (var session in record.Sessions)
        {
            var seen = new HashSet<RequestId>();
            foreach (var (version, id) in record.StoredOf(session).Applied)
            {
                if (!seen.Add(id))
                {
                    yield return $"{session.LogName}: a call was applied again as version {version}";
                }

                if (refused.TryGetValue(id, out var call))
                {
                    yield return $"{session.LogName}: refused, and yet applied as version {version}: {call.Call.Record}";
                }
            }
        }

        bool IsForgotten(RequestId id, long refusedAt) =>
            record.Losses.Exists(loss => loss > refusedAt && loss < record.AppliedAt.GetValueOrDefault(id));
    }

    /// <summary>What was acknowledged is in the store at the version that was told, where it began after the last loss.</summary>
    private static IEnumerable<string> Acknowledged(SimRecord record)
    {
        foreach (var sent in record.Sent)
        {
            var call = sent.Call.Record;
            if (call is { End: CallEnd.Answered, Call: { IsGone: false, IsSuperseded: false, Sets.IsEmpty: false } }
                && call.From > record.LastLoss
                && !record.StoredOf(sent.Session).Applied.Contains((sent.Version!.Value, sent.Id)))
            {
                yield return $"{call.Key}: acknowledged as version {sent.Version}, and not in the store: {call}";
            }
        }
    }

    /// <summary>What is done under leases is done in the order of their tokens, and nobody else changes anything between.</summary>
    private static IEnumerable<string> Leases(SimRecord record, SimKind kind)
    {
        foreach (var session in record.Sessions.Where(_ => kind != SimKind.Losses))
        {
            var lastToken = 0L;
            var lastChange = new Dictionary<SeenLease, long>();
            var leases = record.Leases.Where(lease => lease.Session == session).ToArray();
            foreach (var (version, id) in record.StoredOf(session).Applied)
            {
                if (Array.Find(leases, lease => lease.Calls.Contains(id)) is not { } lease)
                {
                    continue;
                }

                if (lease.Token < lastToken)
                {
                    yield return $"{session.LogName}: version {version} was written under token {lease.Token} after token {lastToken}";
                }

                lastToken = lease.Token;
                var before = lastChange.GetValueOrDefault(lease, lease.FromVersion);
                if (version != before + 1)
                {
                    yield return $"{session.LogName}: version {version} was written under a lease whose holder knew version {before}";
                }

                lastChange[lease] = version;
            }
        }
    }

    /// <summary>A session whose end was acknowledged after the last loss has nothing applied any more.</summary>
    private static IEnumerable<string> Revived(SimRecord record)
    {
        foreach (var end in record.Sent.Where(sent => sent.Call.Record is { Call.Kind: SessionCallKind.Destroy, End: CallEnd.Answered }))
        {
            foreach (var later in record.Sent.Where(sent => sent.Session == end.Session))
            {
                if (end.Call.Record.From > record.LastLoss && later.Call.Record.From > end.Call.Record.Until
                    && record.StoredOf(end.Session).Applied.Any(applied => applied.Id == later.Id))
                {
                    yield return $"{end.Session.LogName}: changed after its end: {later.Call.Record}";
                }
            }
        }
    }
}
