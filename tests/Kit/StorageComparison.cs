using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>One thing that happens to a store in a random sequence; what its numbers mean depends on its kind.</summary>
internal sealed record StorageStep(int Kind, int Session, int Owner, int A, int B);

/// <summary>
/// Does the same random sequence of steps to the model and to a real store, with several owners that know nothing of each other, flushes
/// sent twice and time passing, and compares each answer and, at the end, everything that is stored. Time passes only where
/// <paramref name="time"/>, which is the store's clock and the model's, is a <see cref="FakeTimeProvider"/>.
/// </summary>
/// <param name="store">The real store.</param>
/// <param name="events">What the same store remembers of events.</param>
/// <param name="time">The clock.</param>
/// <param name="isShared">Whether silos share the store, which then knows whom a session was taken from.</param>
internal sealed class StorageComparison(ISessionStorage store, IEventStorage events, TimeProvider time, bool isShared)
{
    private const int Sessions = 2, Owners = 3;

    private static readonly string[] Names = ["", "@", "@@x", "a", "😀"];

    private readonly ModelSessionStorage _model = new(time);
    private readonly SessionHandle[] _handles = [.. Enumerable.Range(0, Sessions).Select(_ => SessionHandle.New())];
    private readonly OwnerNonce[] _claims = [.. Enumerable.Range(0, Sessions * Owners).Select(_ => OwnerNonce.New())];
    private readonly OwnerNonce[] _nonces = [.. Enumerable.Range(0, Sessions * Owners).Select(_ => OwnerNonce.New())];
    private readonly long[] _versions = new long[Sessions * Owners];
    private readonly List<Flush>[] _sent = [.. Enumerable.Range(0, Sessions).Select(_ => new List<Flush>())];
    private readonly Dictionary<(IEventStorage, SessionHandle), string> _places = [];

    private readonly FakeTimeProvider? _movable = time as FakeTimeProvider;
    private int _scheduled;

    public static readonly Gen<StorageStep[]> Steps =
        Gen.Select(Gen.Int[0, 32], Gen.Int[0, Sessions - 1], Gen.Int[0, Owners - 1], Gen.Int[0, 999], Gen.Int[0, 999])
            .Select((kind, session, owner, a, b) => new StorageStep(kind, session, owner, a, b))
            .Array[1, 120];

    /// <summary>Runs the sequence; what differed first, or null where nothing did.</summary>
    public async Task<string?> RunAsync(StorageStep[] steps)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            if (await StepAsync(steps[i]) is { } difference)
            {
                return string.Create(CultureInfo.InvariantCulture, $"step {i}, {steps[i]}: {difference}");
            }
        }

        for (var session = 0; session < Sessions; session++)
        {
            var owner = OwnerNonce.New();
            if (await BothAsync(s => s.ClaimAsync(_handles[session], owner, "last", Seconds(5))) is (_, { } difference))
            {
                return $"at the end, session {session}: {difference}";
            }
        }

        return null;
    }

    private async Task<string?> StepAsync(StorageStep step)
    {
        var handle = _handles[step.Session];
        var place = step.Session * Owners + step.Owner;
        var owner = _nonces[place];
        var sent = _sent[step.Session];
        var keepFor = Seconds(1 + step.A % 60);
        var name = $"silo {step.Owner}";
        switch (step.Kind)
        {
            case 0 when _movable is not null:
                _movable.Advance(TimeSpan.FromMilliseconds(step.B % 4 == 0 ? 20_000 + step.A * 10 : step.A));
                return null;
            case <= 3:
                var creation = new Creation
                {
                    OwnerName = name,
                    Secret = step.A % 2 == 0 ? SecretHash.Of([(byte)step.B]) : null,
                    AbsoluteLifetime = step.B % 3 == 0 ? Seconds(30) : null,
                    EventGrace = step.A % 3 == 0 ? Seconds(100) : null,
                    StartedAt = time.GetTimestamp(),
                };
                var first = FlushOf(step, owner, 0) with { KeepFor = keepFor, Secret = null };
                sent.Add(first);
                var (created, difference) = await BothAsync(s => s.CreateAsync(handle, creation, first));
                _versions[place] = created.IsDone ? first.ToVersion : _versions[place];
                return difference;
            case <= 7:
                var claim = _claims[place] = step.B % 4 == 0 ? _claims[place] : OwnerNonce.New();
                (var claimed, difference) = await BothAsync(s => s.ClaimAsync(handle, claim, name, Seconds(5)));
                _nonces[place] = claimed.Session?.Owner ?? claim;
                _versions[place] = claimed.Session?.Version ?? _versions[place];
                return difference;
            case <= 16:
                var wrong = step.B % 10 == 0 ? 1 : step.B % 10 == 1 && _versions[place] > 0 ? -1 : 0;
                var flush = FlushOf(step, owner, _versions[place] + wrong);
                sent.Add(flush);
                (var committed, difference) = await BothAsync(s => s.CommitAsync(handle, flush));
                _versions[place] = committed.IsDone ? flush.ToVersion : _versions[place];
                return difference;
            case <= 19 when sent.Count > 0:
                var again = sent[^(1 + step.A % Math.Min(sent.Count, 8))];
                return (await BothAsync(s => s.CommitAsync(handle, again))).Difference;
            case 20:
                var known = Math.Max(0, _versions[place] - step.B % 5 / 4);
                return (await BothAsync(s => s.TouchAsync(handle, owner, known, keepFor))).Difference;
            case 21:
                return (await BothAsync(s => s.ReleaseAsync(handle, owner, keepFor))).Difference;
            case 22:
                OwnerNonce? under = step.B % 3 == 0 ? null : owner;
                var reason = under is null ? SessionEndReason.Destroyed : SessionEndReason.Idle;
                return (await BothAsync(s => s.DestroyAsync(handle, reason, Seconds(1 + step.A % 20), under))).Difference;
            case 24 or 25 when _versions[place] > 0:
                var restoration = RestorationOf(step, place, name, keepFor);
                (var restored, difference) = await BothAsync(s => s.RestoreAsync(handle, restoration));
                _versions[place] = restored.IsDone ? restoration.State.Version : _versions[place];
                return difference;
            case 26:
                return await BothEventsAsync(s => s.UntoldAsync(handle));
            case 27:
                return await BothEventsAsync(s => s.ToldAsync(handle, step.A % 4, step.B % 2 == 0, Seconds(1 + step.A % 20)));
            case 28:
                // No two at the same time, as in use: in whole seconds two within a millisecond would be.
                TimeSpan? due = step.B % 3 == 0 ? null : keepFor + TimeSpan.FromMicroseconds(++_scheduled);
                return await BothEventsAsync(async s =>
                {
                    // At times where the store itself said last, or where it did for the other session.
                    var place = step.A % 3 == 0 ? null : _places.GetValueOrDefault((s, step.A % 3 == 1 ? handle : _handles[0]));
                    var scheduled = await s.ScheduleAsync(handle, due, place is "" ? null : place);
                    _places[(s, handle)] = scheduled.Place ?? _places.GetValueOrDefault((s, handle)) ?? "";
                    return scheduled;
                });
            case 30 or 31:
                var over = step.B % 2 == 0 ? SessionEndReason.Idle : SessionEndReason.Lifetime;
                return await BothEventsAsync(s => s.ExpireAsync(handle, over, Seconds(1 + step.A % 20)));
            case 29:
                return await BothEventsAsync(s => s.TakeDueAsync(0, Sessions, keepFor));
            default:
                return (await BothAsync(s => s.PeekAsync(handle))).Difference;
        }
    }

    private Restoration RestorationOf(StorageStep step, int place, string name, TimeSpan keepFor)
    {
        var version = Math.Max(1, _versions[place] + (step.B % 4) - 1);
        var other = (step.Session * Owners) + ((step.Owner + 1) % Owners);
        var secret = step.A % 3 == 0 ? SecretHash.Of([(byte)step.A]) : (SecretHash?)null;
        var slots = Enumerable.Range(0, (int)Math.Min(version, ISessionStorage.RingSize))
            .Select(i => new RingSlot(version - i, new RingEntry(RequestId.New(), i % 2 == 0 ? "" : "a result"), Seconds(i)))
            .Reverse().ToList();
        return new Restoration
        {
            Owner = _nonces[place],
            OwnerName = name,
            ClaimedFrom = step.B % 2 == 0 ? (_nonces[other], Math.Max(0, _versions[other] - (step.A % 2))) : null,
            Epoch = 1 + step.A,
            State = SessionState.From(
                new StoredSession
                {
                    Properties = SessionDelta.Empty.Set(Names[step.A % Names.Length], new byte[step.B % 30]).Sets,
                    Version = version,
                    Epoch = 0,
                    Owner = _nonces[place],
                    OwnTtl = step.B % 5 == 0 ? Seconds(1 + step.B) : null,
                    LifetimeLeft = null,
                    KeptFor = default,
                    Secret = secret,
                    Generation = secret is null ? 0 : 1 + step.B,
                    User = step.A % 4 == 0 ? new BoundUser($"user {step.B}", step.A) : null,
                    Ring = slots.ToImmutableDictionary(slot => slot.Version),
                    PreviousOwnerName = null,
                    PreviousOwner = null,
                    Released = false,
                },
                Seconds(60)),
            Ring = [.. slots],
            LifetimeLeft = step.A % 5 == 0 ? Seconds(30) : null,
            EventGrace = step.A % 3 == 0 ? Seconds(100) : null,
            Told = step.B % 3,
            KeepFor = keepFor,
            StartedAt = time.GetTimestamp() - (step.B % 8 == 0 ? 20 * time.TimestampFrequency : 0),
        };
    }

    private Flush FlushOf(StorageStep step, OwnerNonce owner, long version)
    {
        var delta = step.B % 7 == 0 ? SessionDelta.Empty.Clear() : SessionDelta.Empty;
        for (var digits = step.A; digits > 0; digits /= 10)
        {
            var name = Names[digits % Names.Length];
            delta = digits % 10 < 7 ? delta.Set(name, new byte[digits % 30]) : delta.Remove(name);
        }

        var entries = step.B % 9 == 0 ? Flush.MaxEntries : 1 + step.B % 3;
        return new Flush
        {
            Owner = owner,
            FromVersion = version,
            Entries = [.. Enumerable.Range(0, entries).Select(i => new RingEntry(RequestId.New(), i % 2 == 0 ? "" : $"result {i}"))],
            Delta = step.B % 5 == 0 ? delta.WithTtl(Seconds(1 + step.B)) : delta,
            KeepFor = step.A % 4 == 0 ? Seconds(1 + step.B % 60) : null,
            Secret = step.B % 11 == 0 ? new RotatedSecret(SecretHash.Of([(byte)step.A]), step.B) : null,
            User = step.B % 6 == 0 ? new BoundUser($" ä {step.A}", step.B) : null,
        };
    }

    /// <summary>Hours, where time cannot be moved: then nothing ends by it.</summary>
    private TimeSpan Seconds(int seconds) => _movable is null ? TimeSpan.FromHours(seconds) : TimeSpan.FromSeconds(seconds);

    private async Task<(StoreReply Reply, string? Difference)> BothAsync(Func<ISessionStorage, Task<StoreReply>> step)
    {
        var expected = await step(_model);
        var actual = await step(store);
        var (model, real) = (Describe(expected), Describe(actual));
        return (expected, model == real ? null : $"the model says\n{model}\nand the store\n{real}\n{actual.Error}");
    }

    private async Task<string?> BothEventsAsync(Func<IEventStorage, Task<StoreReply>> step)
    {
        var (expected, actual) = (await step(_model), await step(events));
        var (model, real) = (Describe(expected), Describe(actual));
        return model == real ? null : $"the model says\n{model}\nand the store\n{real}\n{actual.Error}";
    }

    private string Describe(StoreReply reply) => reply.Outcome switch
    {
        StoreOutcome.Found when reply.Untold is { } untold =>
            $"told {untold.Told} of {untold.Generation} ended {untold.Ended} left {Rounded(untold.Left)} past {untold.IsPastLifetime} "
            + $"user {untold.User} properties {Describe(untold.Properties)}",
        StoreOutcome.Found when reply.Mark is null && reply.Due.Count == 0 => "found",
        StoreOutcome.Found when reply.Mark is null => $"due {string.Join(' ', reply.Due.Select(handle => handle.ToString()).Order())}",
        StoreOutcome.Tombstone or StoreOutcome.Expired => $"{reply.Outcome} {reply.Reason}",
        StoreOutcome.Found => $"{reply.Outcome} {reply.Mark}",
        StoreOutcome.Fenced => $"{reply.Outcome} {reply.OwnerName}",
        StoreOutcome.Written or StoreOutcome.AlreadyWritten when reply.Session is null =>
            $"{reply.Outcome} {reply.User} from {(isShared ? string.Join(',', reply.TakenFrom) : "")}",
        _ => reply.Session is { } session ? $"{reply.Outcome} {Describe(session)}" : $"{reply.Outcome}",
    };

    private string Describe(StoredSession session)
    {
        var ring = session.Ring.OrderBy(e => e.Key).Select(e => $"{e.Key}:{e.Value.Entry.Id}={e.Value.Entry.Result}");
        Span<byte> secret = stackalloc byte[SecretHash.ByteLength];
        session.Secret?.CopyTo(secret);
        return $"version {session.Version} epoch {session.Epoch} owner {session.Owner} ttl {session.OwnTtl} "
            + $"lifetime {Rounded(session.LifetimeLeft)} kept {Rounded(session.KeptFor)} secret {Convert.ToHexString(secret)} "
            + $"generation {session.Generation} user {session.User} "
            + $"grace {session.EventGrace} told {session.Told} after {session.PreviousOwnerName} released {session.Released} "
            + $"from {(isShared ? string.Join(',', session.TakenFrom) : "")} ring {string.Join(' ', ring)} "
            + $"properties {Describe(session.Properties)}";
    }

    private static string Describe(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties) => string.Join(
        ' ',
        properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"'{p.Key}'={Convert.ToHexString(p.Value.Span)}"));

    // A store that was asked some milliseconds later has that much less left.
    private string? Rounded(TimeSpan? left) =>
        _movable is null ? left?.TotalHours.ToString("0", CultureInfo.InvariantCulture) : left?.ToString();
}
