namespace SessionActors;

/// <summary>
/// The storage protocol over SQLite, for one process. Expired rows count as absent; they are deleted when they are met, and a few of the
/// others along with every so many steps.
/// </summary>
internal sealed class SqliteSessionStorage(SqliteDatabase database, TimeProvider time) : ISessionStorage
{
    /// <summary>Two for each step, so that the sweep is faster than whatever leaves something to sweep.</summary>
    private const int SweepEvery = 16, SweepAtMost = 32;

    private readonly SqliteSessionRows _rows = new(database);
    private readonly StoreIdentity _identity = new(RequestId.New().ToString());

    // All who could hear of it are in this process.
    private readonly long[] _announced = new long[ISessionStorage.UserParts];
    private int _steps;

    public Task<StoreReply> CreateAsync(SessionHandle handle, Creation creation, Flush flush) => StepAsync(handle, flush, row =>
    {
        switch (row)
        {
            case { Reason: { } reason }:
                return new StoreReply(StoreOutcome.Tombstone, reason);
            case not null:
                return new StoreReply(row.Remembers ? StoreOutcome.AlreadyWritten : StoreOutcome.Exists);
        }

        if (time.GetElapsedTime(creation.StartedAt) > ISessionStorage.CreateDeadline)
        {
            return new StoreReply(StoreOutcome.Late);
        }

        var id = _rows.Insert(handle, In(flush.KeepFor!.Value + (creation.EventGrace ?? TimeSpan.Zero)));
        if (creation.EventGrace is { } grace)
        {
            _rows.SetGrace(id, grace, told: 0);
        }

        _rows.Own(id, flush.Owner, creation.OwnerName);
        if (creation.AbsoluteLifetime is { } lifetime)
        {
            _rows.SetEnds(id, In(lifetime));
        }

        if (creation.Secret is { } secret)
        {
            _rows.SetSecret(id, secret, generation: 1);
        }

        _rows.Apply(id, flush, Now);
        return new StoreReply(StoreOutcome.Written);
    });

    public Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        LiveStepAsync(handle, flush: null, row =>
        {
            if (row.Ends <= Now)
            {
                if (row.Grace is not null)
                {
                    // Whoever tells of its end needs what is in it.
                    return new StoreReply(StoreOutcome.Missing);
                }

                Bury(handle, row, SessionEndReason.Lifetime, tombstone);
                return new StoreReply(StoreOutcome.Expired, SessionEndReason.Lifetime);
            }

            if (row.Owner == owner.Value || row.Owner == owner.In(row.Epoch).Value)
            {
                return new StoreReply(StoreOutcome.AlreadyWritten, Session: _rows.Read(row.Id, previous: null, Now));
            }

            // Read first, for the previous owner's mark; the epoch is the new owner's.
            var session = _rows.Read(row.Id, row, Now);
            session = session with { Epoch = row.Epoch + 1, Owner = owner.In(row.Epoch + 1) };
            _rows.Own(row.Id, session.Owner, ownerName);
            return new StoreReply(StoreOutcome.Written, Session: session);
        });

    public Task<StoreReply> CommitAsync(SessionHandle handle, Flush flush) => LiveStepAsync(handle, flush, row =>
    {
        if (row.Owner == flush.Owner.Value && row.Remembers && _rows.RemembersAll(row.Id, flush))
        {
            return new StoreReply(StoreOutcome.AlreadyWritten);
        }

        var reply = Judge(row, flush.Owner, flush.FromVersion);
        if (reply.IsDone)
        {
            _rows.Apply(row.Id, flush, Now);
            if (flush.KeepFor is { } keepFor)
            {
                Keep(row, keepFor);
            }
        }

        return reply;
    });

    public Task<StoreReply> PeekAsync(SessionHandle handle) => LiveStepAsync(handle, flush: null, row =>
        new StoreReply(StoreOutcome.Found, Mark: new(row.Version, new OwnerNonce(row.Owner), row.OwnerName, row.Released)));

    public Task<StoreReply> TouchAsync(SessionHandle handle, OwnerNonce owner, long version, TimeSpan keepFor) =>
        LiveStepAsync(handle, flush: null, row =>
        {
            var reply = Judge(row, owner, version);
            if (reply.IsDone)
            {
                Keep(row, keepFor);
            }

            return reply;
        });

    public Task<StoreReply> DestroyAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner = null) =>
        StepAsync(handle, flush: null, row =>
        {
            switch (row)
            {
                case null when owner is not null:
                    return new StoreReply(StoreOutcome.Missing);
                case { Reason: { } ended } when owner is not null:
                    return new StoreReply(StoreOutcome.Tombstone, ended);
                case { Reason: not null }:
                    _rows.SetExpires(row.Id, Math.Max(row.Expires, In(tombstone)));
                    return new StoreReply(StoreOutcome.AlreadyWritten);
                case not null when owner is not null && row.Owner != owner.Value.Value:
                    return new StoreReply(StoreOutcome.Fenced, OwnerName: row.OwnerName);
                case { Grace: not null }:
                    _rows.End(row.Id, reason, Math.Max(row.Expires, In(tombstone)));
                    return new StoreReply(StoreOutcome.Written) { User = row.User };
                default:
                    Bury(handle, row, reason, tombstone);
                    return new StoreReply(StoreOutcome.Written) { User = row?.User };
            }
        });

    public Task<StoreReply> ReleaseAsync(SessionHandle handle, OwnerNonce owner, TimeSpan keepFor) =>
        LiveStepAsync(handle, flush: null, row =>
        {
            var reply = Judge(row, owner, row.Version);
            if (reply.IsDone)
            {
                _rows.Release(row.Id);
                Keep(row, keepFor);
            }

            return reply;
        });

    public Task<StoreReply> RestoreAsync(SessionHandle handle, Restoration restoration) => StepAsync(handle, flush: null, row =>
    {
        switch (row)
        {
            case { Reason: { } reason }:
                return new StoreReply(StoreOutcome.Tombstone, reason);
            case not null when row.Owner == restoration.Owner.Value && row.Version == restoration.State.Version:
                Keep(row, restoration.KeepFor);
                return new StoreReply(StoreOutcome.AlreadyWritten);
            case not null when row.Owner == restoration.Owner.Value && row.Version > restoration.State.Version:
                Keep(row, restoration.KeepFor);
                return new StoreReply(StoreOutcome.Ahead);
            case not null when row.Owner != restoration.Owner.Value
                && (row.Owner != restoration.ClaimedFrom?.Owner.Value || row.Version > restoration.ClaimedFrom.Value.Version):
                return new StoreReply(StoreOutcome.Fenced, OwnerName: row.OwnerName);
        }

        if (time.GetElapsedTime(restoration.StartedAt) > ISessionStorage.CreateDeadline)
        {
            return new StoreReply(StoreOutcome.Late);
        }

        if (row is not null)
        {
            _rows.Delete(row.Id);
        }

        var id = _rows.Insert(handle, In(restoration.KeepFor + (restoration.EventGrace ?? TimeSpan.Zero)));
        if (restoration.EventGrace is { } grace)
        {
            _rows.SetGrace(id, grace, restoration.Told);
        }

        _rows.Restore(id, restoration, Now);
        if (restoration.LifetimeLeft is { } lifetime)
        {
            _rows.SetEnds(id, In(lifetime));
        }

        return new StoreReply(StoreOutcome.Written);
    });

    // Its only silo has nobody to warn.
    public Task<StoreReply> WarnAsync(string ownerName) => Task.FromResult(new StoreReply(StoreOutcome.Written));

    public Task<StoreReply> AnnounceAsync(int part)
    {
        Interlocked.Increment(ref _announced[part]);
        return Task.FromResult(new StoreReply(StoreOutcome.Written));
    }

    // What it has taken it keeps for as long as its process lives, so it stays the same store.
    public async Task<StoreProbe> ProbeAsync(string ownerName)
    {
        try
        {
            var marks = _announced.Index().Where(part => part.Item > 0).ToDictionary(part => part.Index, part => $"{part.Item}");
            return new StoreProbe(null, await database.RunAsync(() => _identity), Marks: marks);
        }
        catch (Exception error)
        {
            return new StoreProbe(error);
        }
    }

    private long Now => time.GetUtcNow().UtcTicks;

    /// <summary>So far from now, or for ever.</summary>
    private long In(TimeSpan duration)
    {
        var now = Now;
        return duration.Ticks > long.MaxValue - now ? long.MaxValue : now + duration.Ticks;
    }

    private void Keep(SessionRow row, TimeSpan keepFor) => _rows.SetExpires(row.Id, In(keepFor + new TimeSpan(row.Grace ?? 0)));

    private static StoreReply Judge(SessionRow row, OwnerNonce owner, long version) =>
        row.Owner != owner.Value ? new StoreReply(StoreOutcome.Fenced, OwnerName: row.OwnerName)
        : row.Version < version ? new StoreReply(StoreOutcome.Behind)
        : row.Version > version ? new StoreReply(StoreOutcome.Ahead)
        : new StoreReply(StoreOutcome.Written);

    private void Bury(SessionHandle handle, SessionRow? row, SessionEndReason reason, TimeSpan tombstone)
    {
        if (row is not null)
        {
            _rows.Delete(row.Id);
        }

        _rows.InsertTombstone(handle, In(tombstone), reason);
    }

    private Task<StoreReply> LiveStepAsync(SessionHandle handle, Flush? flush, Func<SessionRow, StoreReply> step) =>
        StepAsync(handle, flush, row => row switch
        {
            null => new StoreReply(StoreOutcome.Missing),
            { Reason: { } reason } => new StoreReply(StoreOutcome.Tombstone, reason),
            _ when row.Until <= Now => new StoreReply(StoreOutcome.Missing),
            _ => step(row),
        });

    private Task<StoreReply> StepAsync(SessionHandle handle, Flush? flush, Func<SessionRow?, StoreReply> step) =>
        database.StepAsync(() => step(FindLive(handle, flush)));

    private SessionRow? FindLive(SessionHandle handle, Flush? flush)
    {
        var now = Now;
        if (++_steps % SweepEvery == 0)
        {
            _rows.DeleteExpired(now, SweepAtMost);
        }

        var row = _rows.Find(handle, flush);
        if (row is null || row.Expires > now)
        {
            return row;
        }

        _rows.Delete(row.Id);
        return null;
    }
}
