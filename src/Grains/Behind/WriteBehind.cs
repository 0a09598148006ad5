namespace SessionActors;

/// <summary>
/// Which writes of a session are acknowledged before they are stored, and when those have to be. They are always the first that wait: where
/// one waits for the store, all that come after it do.
/// <para>
/// Runs in the turns of its grain. It starts flushes and makes none: <see cref="PendingWrites"/> does.
/// </para>
/// </summary>
internal sealed class WriteBehind(string session, SessionSilo silo, ProjectedWrites writes, Action<TimeSpan>? stay)
{
    // Longer than any pause between two tries, so that an idle activation is not collected while it has something to store.
    private static readonly TimeSpan Stay = TimeSpan.FromMinutes(1);

    // As long as callers of a write that goes through wait for a store that is out of reach.
    private static readonly TimeSpan LongSince = TimeSpan.FromSeconds(1);

    private const int BytesOfEach = 512;

    private TimeSpan _pushedAt = TimeSpan.MinValue;
    private TimeSpan? _toldSince;
    private Task _watching = Task.CompletedTask;
    private long _bytes;

    /// <summary>How many are acknowledged and not stored.</summary>
    public int Count { get; private set; }

    /// <summary>Whether what waits has to be flushed now.</summary>
    public bool IsDue =>
        writes.Waiters > 0 || (writes.OldestAcknowledgedAt is { } at && (at <= _pushedAt || DelayLeft(at) <= TimeSpan.Zero));

    /// <summary>Whether a write that was applied may be acknowledged before it is stored.</summary>
    public bool Takes(PendingWrite write) =>
        !silo.IsStopping && writes.HasOnlyAcknowledged
        && write is { Lease: null, Change.Secret: null, Change.User: null, WasSentBefore: false }
        && _bytes + BytesOf(write) <= silo.Options.MaxPendingBytes;

    /// <summary>Acknowledges a write, which has been added, and has it flushed when its time comes.</summary>
    public void Acknowledge(PendingWrite write, Action flush)
    {
        Count++;
        // Counted once: what it changes may become less when it is applied anew.
        _bytes += write.Bytes = BytesOf(write);
        silo.Metrics.OnAcknowledged();
        write.Acknowledge(this);
        writes.Acknowledged(write);
        if (_watching.IsCompleted)
        {
            _watching = WatchAsync(flush);
            _watching.Ignore();
        }
    }

    /// <summary>A write that was acknowledged is stored, or never will be.</summary>
    public void Settle(PendingWrite write)
    {
        Count--;
        _bytes -= write.Bytes;
        silo.Metrics.OnSettled();
    }

    /// <summary>Writes that were acknowledged are not stored, and will not be.</summary>
    public void OnLost(int count, Exception why)
    {
        var ended = why is SessionDestroyedException;
        silo.Metrics.OnLost(count, ended ? "ended" : "failed");
        if (ended)
        {
            GrainLog.EndedUnstored(silo.Logger, session, count);
        }
        else
        {
            GrainLog.Lost(silo.Logger, session, count, why);
        }
    }

    /// <summary>All that is acknowledged is due from now on.</summary>
    public void Push() => _pushedAt = silo.Now;

    /// <summary>Before each try to store what was acknowledged.</summary>
    /// <param name="sentAt">When the first was made.</param>
    public void OnTry(TimeSpan sentAt)
    {
        stay?.Invoke(Stay);
        if (silo.Now - sentAt > LongSince && _toldSince is null)
        {
            _toldSince = sentAt;
            GrainLog.StoredLate(silo.Logger, session, Count);
        }
    }

    /// <summary>The store has answered.</summary>
    public void OnAnswered() => _toldSince = null;

    /// <summary>What a write takes in memory: what it changes, and about what goes with each.</summary>
    private static long BytesOf(PendingWrite write)
    {
        long bytes = BytesOfEach + (sizeof(char) * write.Change.Result.Length);
        foreach (var (name, value) in write.Change.Delta.Sets)
        {
            bytes += (sizeof(char) * name.Length) + value.Length;
        }

        foreach (var name in write.Change.Delta.Removes)
        {
            bytes += sizeof(char) * name.Length;
        }

        return bytes;
    }

    private TimeSpan DelayLeft(TimeSpan acknowledgedAt) => acknowledgedAt + silo.Options.FlushDelay - silo.Now;

    private async Task WatchAsync(Action flush)
    {
        while (writes.OldestAcknowledgedAt is { } at)
        {
            if (DelayLeft(at) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(left, silo.Time);
            }
            else
            {
                // All of them: more than one flush holds would be watched by nobody.
                Push();
                flush();
                return;
            }
        }
    }
}
