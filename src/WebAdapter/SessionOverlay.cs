using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace SessionActors;

/// <summary>
/// A session as one request sees it: the snapshot it opened, and its own changes on top. Setting a property to what the snapshot has is no
/// change, nor is setting it to something else and back. <see cref="Clear"/> is an operation of its own: it removes everything that is
/// there when it is applied, seen here or not.
/// <code>
/// _stored ──► _base ──► _current
///        sent     changes
/// </code>
/// </summary>
internal sealed partial class SessionOverlay
{
    private ImmutableDictionary<string, ReadOnlyMemory<byte>> _stored;
    private ImmutableDictionary<string, ReadOnlyMemory<byte>> _base;
    private ImmutableDictionary<string, ReadOnlyMemory<byte>> _current;
    private SessionDelta _changes = SessionDelta.Empty;
    private SessionDelta? _sent;
    private TimeSpan? _ttl;
    private bool _hasOwnTtl;

    // Up to here this request has seen what others changed. A commit's version is later and may have others' changes below it: it does not
    // count, and what this request has changed itself is no conflict anyway (SessionRequest.PartOf).
    private long _seenVersion;

    /// <summary>A session that exists nowhere.</summary>
    public SessionOverlay() => _stored = _base = _current = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;

    /// <summary>A session that was opened.</summary>
    public SessionOverlay(SessionSnapshot snapshot) => Rebase(snapshot);

    /// <summary>The version below this request's changes; 0 for a session that exists nowhere.</summary>
    public long Version { get; private set; }

    /// <summary>The idle time-out with this request's change of it; null where none is known.</summary>
    public TimeSpan? Ttl => _changes.Ttl ?? _sent?.Ttl ?? _ttl;

    /// <summary>The idle time-out that was set for this session and is stored; null where it has the default one.</summary>
    public TimeSpan? OwnTtl => _hasOwnTtl ? _ttl : null;

    /// <summary>The names of all properties.</summary>
    public IEnumerable<string> Keys => _current.Keys;

    /// <summary>Whether there is something to commit.</summary>
    public bool IsChanged => _sent is not null || !_changes.IsEmpty;

    /// <summary>Throws where the name is none that a property may have.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is longer than <see cref="PropertyName.MaxBytes"/>.</exception>
    /// <exception cref="ArgumentException">It is not Unicode: half of a surrogate pair has no UTF-8.</exception>
    public static void CheckName(string name)
    {
        if (PropertyName.BytesOf(name) is var length and > PropertyName.MaxBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(name),
                $"The name of a session property has {length} bytes of UTF-8; at most {PropertyName.MaxBytes} are allowed.");
        }
    }

    /// <summary>A copy of a property's value; false where there is none.</summary>
    public bool TryGetValue(string name, [NotNullWhen(true)] out byte[]? value)
    {
        value = _current.TryGetValue(name, out var found) ? found.ToArray() : null;
        return value is not null;
    }

    /// <summary>Whether this request has an uncommitted change of the property.</summary>
    public bool Changes(string name) => IsIn(_changes, name) || (_sent is { } sent && IsIn(sent, name));

    /// <summary>Sets a property to a copy of the value, whatever others make of it meanwhile.</summary>
    public void Set(string name, ReadOnlySpan<byte> value)
    {
        CheckName(name);
        _json?.Drop(name);
        if (_changes.Patches.ContainsKey(name) || !_current.TryGetValue(name, out var present) || !present.Span.SequenceEqual(value))
        {
            Put(name, value.ToArray());
        }
    }

    /// <summary>Removes a property; no change where there is none.</summary>
    public void Remove(string name)
    {
        _json?.Drop(name);
        if (!_current.ContainsKey(name))
        {
            return;
        }

        _current = _current.Remove(name);
        var wasBefore = !_changes.Clears && _base.ContainsKey(name);
        var removes = wasBefore ? _changes.Removes.Add(name) : _changes.Removes;
        Change(_changes.Sets.Remove(name), removes, _changes.Patches.Remove(name));
    }

    /// <summary>Removes everything; no change in a session that exists nowhere.</summary>
    public void Clear()
    {
        var existsNowhere = Version == 0 && _sent is null;
        _json?.Clear();
        _current = _current.Clear();
        _changes = existsNowhere ? new SessionDelta { Ttl = _changes.Ttl } : _changes.Clear();
    }

    /// <summary>Gives the session an idle time-out of its own; no change where it has the same.</summary>
    public void SetTtl(TimeSpan ttl)
    {
        var before = _sent?.Ttl ?? OwnTtl;
        _changes = new SessionDelta
        {
            Clears = _changes.Clears,
            Sets = _changes.Sets,
            Removes = _changes.Removes,
            Patches = _changes.Patches,
            Ttl = ttl == before ? null : ttl,
        };
    }

    /// <summary>
    /// The delta to commit now: all changes so far, or the very same delta again where nobody answered for it. Changes made from now on
    /// form another.
    /// </summary>
    public SessionDelta Send()
    {
        if (_sent is null)
        {
            _sent = _changes.BasedOn(_seenVersion);
            _changes = SessionDelta.Empty;
            _base = _current;
            _json?.StartFrom(_changes.Patches);
        }

        return _sent;
    }

    /// <summary>What was sent is stored, as this version; a snapshot taken since may be of a later one.</summary>
    public void Acknowledge(long version)
    {
        if (_sent?.Ttl is { } ttl)
        {
            _ttl = ttl;
            _hasOwnTtl = true;
        }

        _sent = null;
        _stored = _base;
        Version = Math.Max(Version, version);
        // A session that this request has created is as this request sees it.
        _seenVersion = _seenVersion == 0 ? version : _seenVersion;
    }

    /// <summary>What was sent is certainly not stored: it is a change like those made since.</summary>
    public void TakeBack()
    {
        if (_sent is { } sent)
        {
            _changes = sent.Then(_changes);
            _sent = null;
            _base = _stored;
            _json?.StartFrom(_changes.Patches);
        }
    }

    /// <summary>The idle time-out of a session that was just created.</summary>
    public void LearnTtl(TimeSpan ttl) => _ttl = ttl;

    /// <summary>A property that another call has stored meanwhile.</summary>
    public void Learn(string name, ReadOnlyMemory<byte> value)
    {
        _json?.Drop(name);
        _stored = _stored.SetItem(name, value);
        _base = _base.SetItem(name, value);
        _current = _current.SetItem(name, value);
    }

    /// <summary>A property that another call has removed meanwhile.</summary>
    public void LearnRemoved(string name)
    {
        _json?.Drop(name);
        _stored = _stored.Remove(name);
        _base = _base.Remove(name);
        _current = _current.Remove(name);
    }

    /// <summary>
    /// Puts a fresh snapshot under the changes. A patch that does not fit it leaves the property as this request had it, and the commit
    /// decides.
    /// </summary>
    [MemberNotNull(nameof(_stored), nameof(_base), nameof(_current))]
    public void Rebase(SessionSnapshot snapshot)
    {
        var (below, shown) = (_base, _current);
        _stored = snapshot.Properties;
        _base = _sent is null ? _stored : _sent.ApplyTo(_stored, (name, before, patch) => Patched(before, patch, below!, name));
        _current = _changes.IsEmpty ? _base : _changes.ApplyTo(_base, (name, before, patch) => Patched(before, patch, shown!, name));
        _ttl = snapshot.Ttl;
        _hasOwnTtl = snapshot.HasOwnTtl;
        Version = _seenVersion = snapshot.Version;
    }

    /// <summary>Drops all changes that are not known to be stored.</summary>
    public void Forget()
    {
        _sent = null;
        _changes = SessionDelta.Empty;
        _base = _current = _stored;
        _json?.Clear();
    }

    private static bool IsIn(SessionDelta delta, string name) =>
        delta.Clears || delta.Sets.ContainsKey(name) || delta.Removes.Contains(name) || delta.Patches.ContainsKey(name);

    private void Put(string name, ReadOnlyMemory<byte> value)
    {
        _current = _current.SetItem(name, value);
        var isAsBefore = !_changes.Clears && _base.TryGetValue(name, out var before) && before.Span.SequenceEqual(value.Span);
        Change(
            isAsBefore ? _changes.Sets.Remove(name) : _changes.Sets.SetItem(name, value),
            _changes.Removes.Remove(name),
            _changes.Patches.Remove(name));
    }

    private void Change(
        ImmutableDictionary<string, ReadOnlyMemory<byte>> sets,
        ImmutableHashSet<string> removes,
        ImmutableDictionary<string, ReadOnlyMemory<byte>> patches) => _changes = new SessionDelta
        {
            Clears = _changes.Clears,
            Sets = sets,
            Removes = removes,
            Patches = patches,
            Ttl = _changes.Ttl,
        };
}
