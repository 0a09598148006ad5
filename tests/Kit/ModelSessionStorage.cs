using System.Collections.Immutable;

namespace SessionActors;

/// <summary>The storage protocol in a dictionary, as plainly as it can be said: what the real stores are compared with.</summary>
internal sealed partial class ModelSessionStorage(TimeProvider time) : ISessionStorage, IEventStorage
{
    private readonly Lock _gate = new();
    private Dictionary<SessionHandle, Entry> _entries = [];

    /// <summary>Is told of each flush that was applied, a create's included, and of what the session was then.</summary>
    public Action<SessionHandle, Flush, StoredSession>? OnApplied { get; set; }

    /// <summary>Remembers everything, and returns what brings it back: a store that loses what it was told since.</summary>
    public Action Save()
    {
        lock (_gate)
        {
            var saved = Copy(_entries);
            return () =>
            {
                lock (_gate)
                {
                    _entries = Copy(saved);
                }
            };
        }

        static Dictionary<SessionHandle, Entry> Copy(Dictionary<SessionHandle, Entry> entries) =>
            entries.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
    }

    /// <summary>Which store it says it is.</summary>
    public StoreIdentity? Identity { get; set; } = new("first");

    public Task<StoreReply> CreateAsync(SessionHandle handle, Creation creation, Flush flush) => StepAsync(handle, entry =>
    {
        switch (entry)
        {
            case { Ended: { } reason }:
                return new StoreReply(StoreOutcome.Tombstone, reason);
            case not null:
                return new StoreReply(entry.Remembers(flush) ? StoreOutcome.AlreadyWritten : StoreOutcome.Exists);
        }

        if (time.GetElapsedTime(creation.StartedAt) > ISessionStorage.CreateDeadline)
        {
            return new StoreReply(StoreOutcome.Late);
        }

        var created = new Entry
        {
            Owner = flush.Owner,
            OwnerName = creation.OwnerName,
            Epoch = 1,
            Secret = creation.Secret,
            Generation = creation.Secret is null ? 0 : 1,
            EndsAt = Now + creation.AbsoluteLifetime,
            Grace = creation.EventGrace,
        };
        created.Keep(Now, flush.KeepFor);
        created.Apply(flush, Now);
        _entries[handle] = created;
        OnApplied?.Invoke(handle, flush, created.Read(previous: null, Now));
        return new StoreReply(StoreOutcome.Written);
    });

    public Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        LiveStepAsync(handle, entry =>
        {
            if (entry.EndsAt <= Now && entry.Grace is not null)
            {
                return new StoreReply(StoreOutcome.Missing);
            }

            if (entry.EndsAt <= Now)
            {
                _entries[handle] = new Entry { Ended = SessionEndReason.Lifetime, ExpiresAt = Now + tombstone };
                return new StoreReply(StoreOutcome.Expired, SessionEndReason.Lifetime);
            }

            if (entry.Owner == owner || entry.Owner == owner.In(entry.Epoch))
            {
                return new StoreReply(StoreOutcome.AlreadyWritten, Session: entry.Read(previous: null, Now));
            }

            (OwnerNonce, string?)? previous = (entry.Owner, entry.OwnerName);
            entry.Epoch++;
            entry.Owner = owner.In(entry.Epoch);
            entry.OwnerName = ownerName;
            entry.TakenFrom = entry.Released ? []
                : entry.TakenFrom.Contains(previous.Value.Item2!) ? entry.TakenFrom
                : [.. entry.TakenFrom.Insert(0, previous.Value.Item2!).Take(StoredSession.MostTakenFrom)];
            var session = entry.Read(previous, Now);
            entry.Released = false;
            return new StoreReply(StoreOutcome.Written, Session: session);
        });

    public Task<StoreReply> CommitAsync(SessionHandle handle, Flush flush) => LiveStepAsync(handle, entry =>
    {
        if (entry.Owner == flush.Owner && entry.Remembers(flush))
        {
            return new StoreReply(StoreOutcome.AlreadyWritten);
        }

        var reply = entry.Judge(flush.Owner, flush.FromVersion);
        if (reply.IsDone)
        {
            entry.Apply(flush, Now);
            OnApplied?.Invoke(handle, flush, entry.Read(previous: null, Now));
        }

        return reply;
    });

    public Task<StoreReply> PeekAsync(SessionHandle handle) => LiveStepAsync(handle, entry =>
        new StoreReply(StoreOutcome.Found, Mark: new(entry.Version, entry.Owner, entry.OwnerName!, entry.Released)));

    public Task<StoreReply> TouchAsync(SessionHandle handle, OwnerNonce owner, long version, TimeSpan keepFor) =>
        LiveStepAsync(handle, entry =>
        {
            var reply = entry.Judge(owner, version);
            entry.Keep(Now, reply.IsDone ? keepFor : null);
            return reply;
        });

    public Task<StoreReply> DestroyAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner = null) =>
        StepAsync(handle, entry =>
        {
            if (owner is not null && (entry is not { Ended: null } || entry.Owner != owner))
            {
                return entry switch
                {
                    null => new StoreReply(StoreOutcome.Missing),
                    { Ended: { } ended } => new StoreReply(StoreOutcome.Tombstone, ended),
                    _ => new StoreReply(StoreOutcome.Fenced, OwnerName: entry.OwnerName),
                };
            }

            if (entry is { Ended: not null })
            {
                entry.ExpiresAt = entry.ExpiresAt > Now + tombstone ? entry.ExpiresAt : Now + tombstone;
                return new StoreReply(StoreOutcome.AlreadyWritten) { TakenFrom = entry.TakenFrom };
            }

            ImmutableArray<string> from = entry switch
            {
                null or { Released: true } => [],
                _ when owner is not null || entry.TakenFrom.Contains(entry.OwnerName!) => entry.TakenFrom,
                _ => entry.TakenFrom.Insert(0, entry.OwnerName!),
            };
            _entries[handle] = entry is { Grace: not null } ? entry.Buried(reason, Now + tombstone)
                : new Entry { Ended = reason, ExpiresAt = Now + tombstone };
            _entries[handle].TakenFrom = owner is null ? from : [];
            return new StoreReply(StoreOutcome.Written) { TakenFrom = from, User = entry?.User };
        });

    public Task<StoreReply> ReleaseAsync(SessionHandle handle, OwnerNonce owner, TimeSpan keepFor) => LiveStepAsync(handle, entry =>
    {
        var reply = entry.Judge(owner, entry.Version);
        if (reply.IsDone)
        {
            entry.Released = true;
            entry.Keep(Now, keepFor);
        }

        return reply;
    });

    public Task<StoreReply> RestoreAsync(SessionHandle handle, Restoration restoration) => StepAsync(handle, entry =>
    {
        if (entry is { Ended: { } reason })
        {
            return new StoreReply(StoreOutcome.Tombstone, reason);
        }

        var (isOwn, version) = (entry?.Owner == restoration.Owner, restoration.State.Version);
        if (isOwn && entry!.Version >= version)
        {
            entry.Keep(Now, restoration.KeepFor);
            return entry.Version > version ? new StoreReply(StoreOutcome.Ahead)
                : new StoreReply(StoreOutcome.AlreadyWritten) { TakenFrom = entry.TakenFrom };
        }

        if (entry is not null && !isOwn
            && (entry.Owner != restoration.ClaimedFrom?.Owner || entry.Version > restoration.ClaimedFrom.Value.Version))
        {
            return new StoreReply(StoreOutcome.Fenced, OwnerName: entry.OwnerName);
        }

        if (time.GetElapsedTime(restoration.StartedAt) > ISessionStorage.CreateDeadline)
        {
            return new StoreReply(StoreOutcome.Late);
        }

        var from = entry is null or { Released: true } ? []
            : isOwn || entry.TakenFrom.Contains(entry.OwnerName!) ? entry.TakenFrom
            : [.. entry.TakenFrom.Insert(0, entry.OwnerName!).Take(StoredSession.MostTakenFrom)];
        _entries[handle] = new Entry(restoration, Now) { TakenFrom = from };
        return new StoreReply(StoreOutcome.Written) { TakenFrom = from };
    });

    /// <summary>Is from now on another store, with nothing in it.</summary>
    public void BecomeAnother()
    {
        lock (_gate)
        {
            Identity = new StoreIdentity(RequestId.New().ToString());
            _entries.Clear();
            _warnings.Clear();
        }
    }

    /// <summary>Keeps what is stored now. What is returned makes it another store with that in it.</summary>
    public Action Replica()
    {
        lock (_gate)
        {
            var copy = _entries.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
            var warnings = _warnings.ToArray();
            return () =>
            {
                BecomeAnother();
                lock (_gate)
                {
                    Array.ForEach(warnings, warning => _warnings[warning.Key] = warning.Value);
                    foreach (var (handle, entry) in copy)
                    {
                        _entries[handle] = entry;
                    }
                }
            };
        }
    }

    /// <summary>Takes out what is stored, without a trace and under the same identity.</summary>
    public void Delete(SessionHandle handle)
    {
        lock (_gate)
        {
            _entries.Remove(handle);
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private Task<StoreReply> LiveStepAsync(SessionHandle handle, Func<Entry, StoreReply> step) => StepAsync(handle, entry => entry switch
    {
        null => new StoreReply(StoreOutcome.Missing),
        { Ended: { } reason } => new StoreReply(StoreOutcome.Tombstone, reason) { TakenFrom = entry.TakenFrom },
        { Grace: { } grace } when entry.ExpiresAt - grace <= Now => new StoreReply(StoreOutcome.Missing),
        _ => step(entry),
    });

    private Task<StoreReply> StepAsync(SessionHandle handle, Func<Entry?, StoreReply> step)
    {
        lock (_gate)
        {
            var entry = _entries.GetValueOrDefault(handle);
            return Task.FromResult(step(entry?.ExpiresAt > Now ? entry : null));
        }
    }

    private sealed class Entry
    {
        private ImmutableDictionary<string, ReadOnlyMemory<byte>> _properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;
        private ImmutableDictionary<long, RingEntry> _ring = ImmutableDictionary<long, RingEntry>.Empty;
        private ImmutableDictionary<long, DateTimeOffset> _appliedAt = ImmutableDictionary<long, DateTimeOffset>.Empty;
        private TimeSpan? _ownTtl;

        public Entry()
        {
        }

        public Entry(Restoration restoration, DateTimeOffset now)
        {
            var state = restoration.State;
            (Owner, OwnerName, Epoch) = (restoration.Owner, restoration.OwnerName, restoration.Epoch);
            (_properties, _ownTtl, Version, Secret, Generation, User) =
                (state.Properties, state.OwnTtl, state.Version, state.Secret, state.Secret is null ? 0 : state.Generation, state.User);
            _ring = restoration.Ring.ToImmutableDictionary(slot => slot.Version, slot => slot.Entry);
            _appliedAt = restoration.Ring.ToImmutableDictionary(slot => slot.Version, slot => now - slot.Age);
            EndsAt = now + restoration.LifetimeLeft;
            (Grace, Told) = (restoration.EventGrace, restoration.EventGrace is null ? 0 : restoration.Told);
            Keep(now, restoration.KeepFor);
        }

        /// <summary>Why it ended: then the entry is a tombstone.</summary>
        public SessionEndReason? Ended { get; init; }
        public DateTimeOffset ExpiresAt { get; set; }
        public TimeSpan? Grace { get; init; }
        public int Told { get; set; }
        public DateTimeOffset? EndsAt { get; init; }
        public OwnerNonce Owner { get; set; }
        public string? OwnerName { get; set; }
        public bool Released { get; set; }
        public ImmutableArray<string> TakenFrom { get; set; } = [];
        public long Version { get; private set; }
        public long Epoch { get; set; }
        public SecretHash? Secret { get; set; }
        public int Generation { get; set; }
        public BoundUser? User { get; set; }

        public ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties => _properties;

        public void Keep(DateTimeOffset now, TimeSpan? keepFor) =>
            ExpiresAt = keepFor is { } some ? now + some + (Grace ?? TimeSpan.Zero) : ExpiresAt;

        /// <summary>What is left of it until its end has been told.</summary>
        public Entry Buried(SessionEndReason reason, DateTimeOffset least) => new()
        {
            Ended = reason,
            ExpiresAt = ExpiresAt > least ? ExpiresAt : least,
            Grace = Grace,
            Told = Told,
            Generation = Generation,
            User = User,
            _properties = _properties,
        };

        // All that changes is in fields that are replaced.
        public Entry Copy() => (Entry)MemberwiseClone();

        // All of it: its first call alone may have been stored before in another flush.
        public bool Remembers(Flush flush) => flush.Entries.Index().All(
            entry => _ring.TryGetValue(flush.FromVersion + 1 + entry.Index, out var written) && written.Id == entry.Item.Id);

        public StoreReply Judge(OwnerNonce owner, long version) =>
            owner != Owner ? new StoreReply(StoreOutcome.Fenced, OwnerName: OwnerName)
            : Version < version ? new StoreReply(StoreOutcome.Behind)
            : Version > version ? new StoreReply(StoreOutcome.Ahead)
            : new StoreReply(StoreOutcome.Written);

        public void Apply(Flush flush, DateTimeOffset now)
        {
            _properties = flush.Delta.ApplyTo(_properties);
            _ownTtl = flush.Delta.Ttl ?? _ownTtl;
            Secret = flush.Secret?.Hash ?? Secret;
            Generation = flush.Secret?.Generation ?? Generation;
            User = flush.User ?? User;
            Keep(now, flush.KeepFor);
            foreach (var entry in flush.Entries)
            {
                Version++;
                _ring = _ring.SetItem(Version, entry).Remove(Version - ISessionStorage.RingSize);
                _appliedAt = _appliedAt.SetItem(Version, now).Remove(Version - ISessionStorage.RingSize);
            }
        }

        public StoredSession Read((OwnerNonce Owner, string? Name)? previous, DateTimeOffset now) => new()
        {
            Properties = _properties,
            Version = Version,
            Epoch = Epoch,
            Owner = Owner,
            OwnTtl = _ownTtl,
            LifetimeLeft = EndsAt - now,
            KeptFor = ExpiresAt - now - (Grace ?? TimeSpan.Zero),
            EventGrace = Grace,
            Told = Told,
            Secret = Secret,
            Generation = Generation,
            User = User,
            Ring = _ring.ToImmutableDictionary(
                entry => entry.Key, entry => new RingSlot(entry.Key, entry.Value, now - _appliedAt[entry.Key])),
            PreviousOwnerName = previous?.Name,
            PreviousOwner = previous?.Owner,
            Released = Released,
            TakenFrom = TakenFrom,
        };
    }
}
