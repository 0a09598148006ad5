using System.Collections.Immutable;
using System.Text;

namespace SessionActors;

/// <summary>
/// What an operation makes of a state: a delta, perhaps a new secret, and the result to remember for its request id; and whose it is.
/// </summary>
internal readonly record struct Change(SessionDelta Delta, SecretHash? Secret = null, string Result = "", RequestId By = default)
{
    /// <summary>Whose session it is from now on; null leaves it as it is.</summary>
    public BoundUser? User { get; init; }

    /// <summary>Whether it leaves the session as it is.</summary>
    public bool IsNothing => Delta.IsEmpty && Secret is null && User is null;

    /// <summary>Whether the operation did not do what it is for, since something else was there than it is for.</summary>
    public bool IsRefused { get; init; }
}

/// <summary>
/// A session at one version: immutable, so that the grain can show one state to readers while it works on the next. Applies a change or
/// refuses it whole.
/// </summary>
internal sealed class SessionState
{
    private SessionOpening? _opening;

    public required ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties { get; init; }

    public required long Version { get; init; }

    public required long Bytes { get; init; }

    public required TimeSpan? OwnTtl { get; init; }

    /// <summary>The idle time-out that applies: its own, or else the options'.</summary>
    public required TimeSpan Ttl { get; init; }

    public required SecretHash? Secret { get; init; }

    public required int Generation { get; init; }

    /// <summary>Whose it is; null while nobody has signed in.</summary>
    public required BoundUser? User { get; init; }

    /// <summary>What changed last when, as far as this activation knows.</summary>
    public required SessionHistory History { get; init; }

    /// <summary>The answer to every open at this version: made once, shared by all readers.</summary>
    public SessionOpening Opening => _opening ??= new SessionOpening
    {
        Standing = SessionStanding.Open,
        Snapshot = SnapshotOf(Properties),
    };

    /// <summary>The answer to an open by somebody who has an earlier snapshot: what has changed since, where that is known.</summary>
    public SessionOpening OpeningSince(SnapshotMark known)
    {
        if (known.History != History.Id || known.Version > Version)
        {
            return Opening;
        }

        if (known.Version == Version)
        {
            return SessionOpening.Same;
        }

        var changed = History.ChangedSince(known.Version).ToLookup(Properties.ContainsKey);
        return new SessionOpening
        {
            Standing = SessionStanding.Open,
            Snapshot = SnapshotOf(ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty),
            Changes = new SessionDelta
            {
                Sets = ImmutableDictionary.CreateRange(changed[true].Select(name => KeyValuePair.Create(name, Properties[name]))),
                Removes = [.. changed[false]],
            },
        };
    }

    public static SessionState Empty(TimeSpan defaultTtl, SecretHash? secret) => new()
    {
        Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty,
        Version = 0,
        Bytes = 0,
        OwnTtl = null,
        Ttl = defaultTtl,
        Secret = secret,
        Generation = secret is null ? 0 : 1,
        User = null,
        History = SessionHistory.Since(0),
    };

    public static SessionState From(StoredSession stored, TimeSpan defaultTtl) => new()
    {
        Properties = stored.Properties,
        Version = stored.Version,
        Bytes = BytesOf(stored.Properties),
        OwnTtl = stored.OwnTtl,
        Ttl = stored.OwnTtl ?? defaultTtl,
        Secret = stored.Secret,
        Generation = stored.Generation,
        User = stored.User,
        History = SessionHistory.Since(stored.Version),
    };

    /// <summary>
    /// The part of a delta that changes anything here, in the form that <see cref="SessionDelta"/>'s own methods give it: a caller may have
    /// put one together that removes what it sets, or compares names in its own way.
    /// </summary>
    public SessionDelta Effective(SessionDelta delta)
    {
        var ttl = delta.Ttl == OwnTtl ? null : delta.Ttl;
        var sets = delta.Sets.WithComparers(Properties.KeyComparer);
        var removes = delta.Removes.WithComparer(Properties.KeyComparer);
        if (delta.Clears && !Properties.IsEmpty)
        {
            return ttl is null && sets.Count == Properties.Count && sets.All(IsSame)
                ? SessionDelta.Empty
                : new SessionDelta { BaseVersion = delta.BaseVersion, Clears = true, Sets = sets, Ttl = ttl };
        }

        var changing = HasSame(sets) ? sets.RemoveRange(sets.Where(IsSame).Select(set => set.Key)) : sets;
        var removing = removes.IsEmpty || removes.All(name => IsEffective(name, sets))
            ? removes : [.. removes.Where(name => IsEffective(name, sets))];
        return !delta.Clears && delta.Patches.IsEmpty && changing == delta.Sets && removing == delta.Removes && ttl == delta.Ttl
            ? delta
            : new SessionDelta { BaseVersion = delta.BaseVersion, Sets = changing, Removes = removing, Ttl = ttl };
    }

    private SessionSnapshot SnapshotOf(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties) => new()
    {
        Version = Version,
        Properties = properties,
        Ttl = Ttl,
        HasOwnTtl = OwnTtl is not null,
        Generation = Generation,
        UserId = User?.Id,
        GoesWith = User?.With is { } listed ? SessionHandle.Parse(listed) : null,
        IsUnlisted = User is { IsUnlisted: true },
        History = History.Id,
    };

    private bool IsEffective(string name, ImmutableDictionary<string, ReadOnlyMemory<byte>> sets) =>
        Properties.ContainsKey(name) && !sets.ContainsKey(name);

    private bool HasSame(ImmutableDictionary<string, ReadOnlyMemory<byte>> sets)
    {
        foreach (var set in sets)
        {
            if (IsSame(set))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The state after a change whose delta is <see cref="Effective"/>.</summary>
    /// <exception cref="SessionLimitExceededException">It would exceed a limit that it does not exceed already.</exception>
    /// <exception cref="ArgumentException">A name is no Unicode text.</exception>
    public SessionState Apply(Change change, SessionActorsOptions limits, string session)
    {
        var delta = change.Delta;
        var bytes = delta.Clears ? 0 : Bytes;
        foreach (var name in delta.Removes)
        {
            bytes -= BytesAt(name);
        }

        foreach (var (name, value) in delta.Sets)
        {
            var nameBytes = PropertyName.BytesOf(name);
            Check(nameBytes, PropertyName.MaxBytes, "the longest name", 0, session, name);
            Check(value.Length, limits.MaxPropertyBytes, nameof(limits.MaxPropertyBytes), 0, session, name);
            bytes += nameBytes + value.Length - (delta.Clears ? 0 : BytesAt(name));
        }

        var properties = delta.ApplyTo(Properties);
        Check(properties.Count, limits.MaxProperties, nameof(limits.MaxProperties), Properties.Count, session);
        Check(bytes, limits.MaxSessionBytes, nameof(limits.MaxSessionBytes), Bytes, session);
        return new SessionState
        {
            Properties = properties,
            Version = Version + 1,
            Bytes = bytes,
            OwnTtl = delta.Ttl ?? OwnTtl,
            Ttl = delta.Ttl ?? Ttl,
            Secret = change.Secret ?? Secret,
            Generation = change.Secret is null ? Generation : Generation + 1,
            User = change.User ?? User,
            History = Version == 0
                ? SessionHistory.Since(1)
                : History.With(delta, Properties, Version + 1, change.By, most: 2 * Math.Max(limits.MaxProperties, properties.Count)),
        };
    }

    /// <summary>Throws where a delta would change what somebody else has changed since its base version.</summary>
    /// <param name="delta">The delta.</param>
    /// <param name="by">Whose it is.</param>
    /// <param name="session">The session, as logs name it.</param>
    /// <exception cref="SessionConflictException">It would.</exception>
    public void RefuseConflict(SessionDelta delta, RequestId by, string session)
    {
        string[] conflicts = [.. History.ConflictsOf(Effective(delta), this, by).Order(StringComparer.Ordinal)];
        if (conflicts.Length > 0)
        {
            throw new SessionConflictException(session, conflicts);
        }
    }

    private bool IsSame(KeyValuePair<string, ReadOnlyMemory<byte>> set) =>
        Properties.TryGetValue(set.Key, out var value) && value.Span.SequenceEqual(set.Value.Span);

    private long BytesAt(string name) =>
        Properties.TryGetValue(name, out var value) ? Encoding.UTF8.GetByteCount(name) + value.Length : 0;

    private static long BytesOf(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties)
    {
        long bytes = 0;
        foreach (var (name, value) in properties)
        {
            bytes += Encoding.UTF8.GetByteCount(name) + value.Length;
        }

        return bytes;
    }

    // A session that was stored under larger limits may shrink step by step.
    private static void Check(long actual, long allowed, string limit, long before, string session, string? property = null)
    {
        if (actual > allowed && actual > before)
        {
            throw new SessionLimitExceededException(session, limit, allowed, actual, property);
        }
    }
}
