using System.Collections.Immutable;

namespace SessionActors;

/// <summary>Reads and writes the tables of <see cref="SqliteSchema"/>; every method runs within a step.</summary>
internal sealed class SqliteSessionRows(SqliteDatabase database)
{
    private readonly SqliteRing _ring = new(database);

    private readonly SqliteStatement _find = database.Statement(
        """
        SELECT s.id, s.expires, s.reason, s.owner, s.owner_name, s.version, s.ends, r.id, s.released, s.epoch, s.grace, s.user
        FROM session s LEFT JOIN ring r ON r.session = s.id AND r.place = ?2 AND r.version = ?3 WHERE s.handle = ?1
        """);

    private readonly SqliteStatement _insert = database.Statement("INSERT INTO session (handle, expires) VALUES (?, ?) RETURNING id");
    private readonly SqliteStatement _insertTombstone = database.Statement(
        "INSERT INTO session (handle, expires, reason) VALUES (?, ?, ?)");

    private readonly SqliteStatement _own = database.Statement(
        "UPDATE session SET owner = ?2, owner_name = ?3, epoch = epoch + 1, released = 0 WHERE id = ?1");

    private readonly SqliteStatement _setEpoch = database.Statement("UPDATE session SET epoch = ?2 WHERE id = ?1");
    private readonly SqliteStatement _release = database.Statement("UPDATE session SET released = 1 WHERE id = ?1");
    private readonly SqliteStatement _setEnds = database.Statement("UPDATE session SET ends = ?2 WHERE id = ?1");
    private readonly SqliteStatement _setExpires = database.Statement("UPDATE session SET expires = ?2 WHERE id = ?1");
    private readonly SqliteStatement _setSecret = database.Statement("UPDATE session SET secret = ?2, generation = ?3 WHERE id = ?1");
    private readonly SqliteStatement _setUser = database.Statement("UPDATE session SET user = ?2 WHERE id = ?1");
    private readonly SqliteStatement _setTtl = database.Statement("UPDATE session SET ttl = ?2 WHERE id = ?1");
    private readonly SqliteStatement _setVersion = database.Statement("UPDATE session SET version = ?2 WHERE id = ?1");
    private readonly SqliteStatement _setGrace = database.Statement("UPDATE session SET grace = ?2, told = ?3 WHERE id = ?1");
    private readonly SqliteStatement _end = database.Statement(
        """
        UPDATE session SET reason = ?2, expires = ?3, owner = NULL, owner_name = NULL, released = 0, version = 0, epoch = 0, ttl = NULL,
        ends = NULL, secret = NULL WHERE id = ?1
        """);

    private readonly SqliteStatement _delete = database.Statement("DELETE FROM session WHERE id = ?1");
    private readonly SqliteStatement _clear = database.Statement("DELETE FROM property WHERE session = ?1");
    private readonly SqliteStatement _remove = database.Statement("DELETE FROM property WHERE session = ?1 AND name = ?2");
    private readonly SqliteStatement _set = database.Statement("REPLACE INTO property (session, name, value) VALUES (?, ?, ?)");
    private readonly SqliteStatement _expired = database.Statement("SELECT id FROM session WHERE expires <= ?1 LIMIT ?2");
    private readonly SqliteStatement _read = database.Statement(
        "SELECT version, epoch, ttl, ends, expires, secret, generation, released, user, grace, told, owner FROM session WHERE id = ?1");

    private readonly SqliteStatement _properties = database.Statement("SELECT name, value FROM property WHERE session = ?1");

    /// <summary>
    /// The row under a handle, and whether it remembers that the first call of <paramref name="flush"/>, if one is given, was applied.
    /// </summary>
    public SessionRow? Find(SessionHandle handle, Flush? flush = null)
    {
        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(key);
        var version = (flush?.FromVersion ?? 0) + 1;
        _find.Bind(1, key).Bind(2, version % ISessionStorage.RingSize).Bind(3, version);
        try
        {
            return !_find.Read() ? null : new SessionRow(
                _find.Int64(0), _find.Int64(1), (SessionEndReason?)_find.NullableInt64(2), _find.Text(3), _find.Text(4),
                _find.Int64(8) != 0, _find.Int64(5), _find.Int64(9), _find.NullableInt64(6), _find.NullableInt64(10),
                _find.IsNull(11) ? null : BoundUser.Parse(_find.Text(11)),
                flush is not null && !_find.IsNull(7) && SqliteRing.RequestIdOf(_find.Bytes(7)) == flush.Id);
        }
        finally
        {
            _find.Reset();
        }
    }

    /// <inheritdoc cref="SqliteRing.RemembersAll"/>
    public bool RemembersAll(long id, Flush flush) => _ring.RemembersAll(id, flush);

    /// <summary>Inserts a row that has nothing yet but what it is found by.</summary>
    public long Insert(SessionHandle handle, long expires)
    {
        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(key);
        _insert.Bind(1, key).Bind(2, expires);
        try
        {
            _insert.Read();
            return _insert.Int64(0);
        }
        finally
        {
            _insert.Reset();
        }
    }

    public void InsertTombstone(SessionHandle handle, long expires, SessionEndReason reason)
    {
        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(key);
        _insertTombstone.Bind(1, key).Bind(2, expires).Bind(3, (long)reason).Run();
    }

    public void Own(long id, OwnerNonce owner, string ownerName) => _own.Bind(1, id).Bind(2, owner.Value).Bind(3, ownerName).Run();

    public void Release(long id) => _release.Bind(1, id).Run();

    public void SetEnds(long id, long ends) => _setEnds.Bind(1, id).Bind(2, ends).Run();

    public void SetExpires(long id, long expires) => _setExpires.Bind(1, id).Bind(2, expires).Run();

    public void SetSecret(long id, SecretHash secret, int generation)
    {
        Span<byte> hash = stackalloc byte[SecretHash.ByteLength];
        secret.CopyTo(hash);
        _setSecret.Bind(1, id).Bind(2, hash).Bind(3, generation).Run();
    }

    /// <summary>Says that the session has events, and how many of them have been told.</summary>
    public void SetGrace(long id, TimeSpan grace, int told) => _setGrace.Bind(1, id).Bind(2, grace.Ticks).Bind(3, told).Run();

    /// <summary>Makes a tombstone of a session that leaves what it held, until its end has been told.</summary>
    public void End(long id, SessionEndReason reason, long expires)
    {
        _ring.Forget(id);
        _end.Bind(1, id).Bind(2, (long)reason).Bind(3, expires).Run();
    }

    /// <summary>Applies all that a flush carries but how long the session is kept.</summary>
    public void Apply(long id, Flush flush, long now)
    {
        if (flush.Delta.Clears)
        {
            _clear.Bind(1, id).Run();
        }

        foreach (var name in flush.Delta.Removes)
        {
            _remove.Bind(1, id).Bind(2, name).Run();
        }

        foreach (var (name, value) in flush.Delta.Sets)
        {
            _set.Bind(1, id).Bind(2, name).Bind(3, value.Span).Run();
        }

        var version = flush.FromVersion;
        foreach (var entry in flush.Entries)
        {
            _ring.Remember(id, ++version, entry, now);
        }

        _setVersion.Bind(1, id).Bind(2, version).Run();
        if (flush.Delta.Ttl is { } ttl)
        {
            _setTtl.Bind(1, id).Bind(2, ttl.Ticks).Run();
        }

        if (flush.Secret is { } secret)
        {
            SetSecret(id, secret.Hash, secret.Generation);
        }

        SetUser(id, flush.User);
    }

    /// <summary>Writes everything of a session that is written back into a row that has nothing yet but what it is found by.</summary>
    public void Restore(long id, Restoration restoration, long now)
    {
        var state = restoration.State;
        Own(id, restoration.Owner, restoration.OwnerName);
        _setEpoch.Bind(1, id).Bind(2, restoration.Epoch).Run();
        _setVersion.Bind(1, id).Bind(2, state.Version).Run();
        foreach (var (name, value) in state.Properties)
        {
            _set.Bind(1, id).Bind(2, name).Bind(3, value.Span).Run();
        }

        foreach (var slot in restoration.Ring)
        {
            _ring.Remember(id, slot.Version, slot.Entry, now - slot.Age.Ticks);
        }

        if (state.OwnTtl is { } ttl)
        {
            _setTtl.Bind(1, id).Bind(2, ttl.Ticks).Run();
        }

        if (state.Secret is { } secret)
        {
            SetSecret(id, secret, state.Generation);
        }

        SetUser(id, state.User);
    }

    public void Delete(long id)
    {
        _clear.Bind(1, id).Run();
        _ring.Forget(id);
        _delete.Bind(1, id).Run();
    }

    /// <summary>Deletes up to <paramref name="most"/> sessions and tombstones whose time is over.</summary>
    public void DeleteExpired(long now, int most)
    {
        var ids = new List<long>();
        _expired.Bind(1, now).Bind(2, most);
        try
        {
            while (_expired.Read())
            {
                ids.Add(_expired.Int64(0));
            }
        }
        finally
        {
            _expired.Reset();
        }

        ids.ForEach(Delete);
    }

    /// <summary>Everything that is stored of a session.</summary>
    public StoredSession Read(long id, SessionRow? previous, long now)
    {
        _read.Bind(1, id);
        try
        {
            _read.Read();
            return new StoredSession
            {
                Properties = ReadProperties(id),
                Version = _read.Int64(0),
                Epoch = _read.Int64(1),
                Owner = new OwnerNonce(_read.Text(11)),
                OwnTtl = _read.NullableTime(2),
                LifetimeLeft = _read.NullableInt64(3) is { } ends ? new TimeSpan(ends - now) : null,
                KeptFor = new TimeSpan(_read.Int64(4) - now - (_read.NullableInt64(9) ?? 0)),
                EventGrace = _read.NullableTime(9),
                Told = (int)_read.Int64(10),
                Secret = _read.IsNull(5) ? null : SecretHash.FromBytes(_read.Bytes(5)),
                Generation = (int)_read.Int64(6),
                User = _read.IsNull(8) ? null : BoundUser.Parse(_read.Text(8)),
                Ring = _ring.Read(id, now),
                PreviousOwnerName = previous?.OwnerName,
                PreviousOwner = previous is null ? null : new OwnerNonce(previous.Owner),
                Released = _read.Int64(7) != 0,
            };
        }
        finally
        {
            _read.Reset();
        }
    }

    private void SetUser(long id, BoundUser? user)
    {
        if (user is not null)
        {
            _setUser.Bind(1, id).Bind(2, user.ToString()).Run();
        }
    }

    /// <summary>The properties of a session, or what an ended one has left.</summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> ReadProperties(long id)
    {
        var properties = ImmutableDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>();
        _properties.Bind(1, id);
        try
        {
            while (_properties.Read())
            {
                properties.Add(_properties.Text(0), _properties.Bytes(1).ToArray());
            }
        }
        finally
        {
            _properties.Reset();
        }

        return properties.ToImmutable();
    }
}
