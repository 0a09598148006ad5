using System.Globalization;

namespace SessionActors;

/// <summary>The events of sessions over SQLite: in the sessions' own rows, and in a table of their deadlines.</summary>
internal sealed class SqliteEventStorage(SqliteDatabase database, TimeProvider time) : IEventStorage
{
    private readonly SqliteSessionRows _rows = new(database);
    private readonly SqliteStatement _find = database.Statement(
        "SELECT id, expires, reason, grace, told, generation, ends, user FROM session WHERE handle = ?1");

    private readonly SqliteStatement _setTold = database.Statement("UPDATE session SET told = max(told, ?2) WHERE id = ?1");
    private readonly SqliteStatement _schedule = database.Statement("REPLACE INTO due (handle, at) VALUES (?, ?)");
    private readonly SqliteStatement _unschedule = database.Statement("DELETE FROM due WHERE handle = ?1");
    private readonly SqliteStatement _place = database.Statement("SELECT at FROM due WHERE handle = ?1");
    private readonly SqliteStatement _due = database.Statement("SELECT handle FROM due WHERE at <= ?1 ORDER BY at LIMIT ?2");

    public int Shards => 1;

    public Task<StoreReply> UntoldAsync(SessionHandle handle) => database.StepAsync(() => Find(handle) switch
    {
        null => new StoreReply(StoreOutcome.Missing),
        { Untold: { } untold } => new StoreReply(StoreOutcome.Found) { Untold = untold },
        { Reason: { } reason } => new StoreReply(StoreOutcome.Tombstone, reason),
        _ => new StoreReply(StoreOutcome.Missing),
    });

    public Task<StoreReply> ToldAsync(SessionHandle handle, int told, bool end, TimeSpan tombstone) => database.StepAsync(() =>
    {
        if (Find(handle) is not { } found)
        {
            return new StoreReply(StoreOutcome.Missing);
        }

        if (found is { Untold: not null, Reason: { } reason } && end)
        {
            _rows.Delete(found.Id);
            _rows.InsertTombstone(handle, In(tombstone), reason);
        }
        else if (found.Untold is not null)
        {
            _setTold.Bind(1, found.Id).Bind(2, told).Run();
        }

        return new StoreReply(StoreOutcome.Written);
    });

    public Task<StoreReply> ExpireAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone) => database.StepAsync(() =>
    {
        switch (Find(handle))
        {
            case null:
                return new StoreReply(StoreOutcome.Missing);
            case { Reason: not null } ended:
                _rows.SetExpires(ended.Id, Math.Max(ended.Expires, In(tombstone)));
                return new StoreReply(StoreOutcome.AlreadyWritten);
            case { Untold: { } untold } over when untold.Left <= TimeSpan.Zero:
                _rows.End(over.Id, reason, Math.Max(over.Expires, In(tombstone)));
                return new StoreReply(StoreOutcome.Written) { User = untold.User };
            default:
                return new StoreReply(StoreOutcome.Found);
        }
    });

    public Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan? dueIn, string? place = null) => database.StepAsync(() =>
    {
        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(key);
        if (place is not null && PlaceOf(key) != place)
        {
            return new StoreReply(StoreOutcome.Fenced);
        }

        if (dueIn is null)
        {
            _unschedule.Bind(1, key).Run();
            return new StoreReply(StoreOutcome.Written) { Place = "" };
        }

        _schedule.Bind(1, key).Bind(2, In(dueIn.Value)).Run();
        return new StoreReply(StoreOutcome.Written) { Place = PlaceOf(key) };
    });

    public Task<StoreReply> TakeDueAsync(int shard, int most, TimeSpan hold) => database.StepAsync(() =>
    {
        var due = new List<SessionHandle>();
        _due.Bind(1, Now).Bind(2, most);
        try
        {
            while (_due.Read())
            {
                due.Add(SessionHandle.FromBytes(_due.Bytes(0)));
            }
        }
        finally
        {
            _due.Reset();
        }

        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        foreach (var handle in due)
        {
            handle.CopyTo(key);
            _schedule.Bind(1, key).Bind(2, In(hold)).Run();
        }

        return new StoreReply(StoreOutcome.Found) { Due = due };
    });

    private long Now => time.GetUtcNow().UtcTicks;

    private long In(TimeSpan duration)
    {
        var now = Now;
        return duration.Ticks > long.MaxValue - now ? long.MaxValue : now + duration.Ticks;
    }

    private string? PlaceOf(ReadOnlySpan<byte> key)
    {
        _place.Bind(1, key);
        try
        {
            return _place.Read() ? _place.Int64(0).ToString(CultureInfo.InvariantCulture) : null;
        }
        finally
        {
            _place.Reset();
        }
    }

    private Row? Find(SessionHandle handle)
    {
        Span<byte> key = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(key);
        _find.Bind(1, key);
        try
        {
            if (!_find.Read() || _find.Int64(1) <= Now)
            {
                return null;
            }

            var (id, reason) = (_find.Int64(0), (SessionEndReason?)_find.NullableInt64(2));
            return new Row(id, _find.Int64(1), reason, _find.NullableInt64(3) is not { } grace ? null : new UntoldEvents
            {
                Ended = reason,
                Told = (int)_find.Int64(4),
                Generation = (int)_find.Int64(5),
                Left = new TimeSpan(_find.Int64(1) - grace - Now),
                IsPastLifetime = _find.NullableInt64(6) <= Now,
                User = _find.IsNull(7) ? null : BoundUser.Parse(_find.Text(7)),
                Properties = _rows.ReadProperties(id),
            });
        }
        finally
        {
            _find.Reset();
        }
    }

    private sealed record Row(long Id, long Expires, SessionEndReason? Reason, UntoldEvents? Untold);
}
