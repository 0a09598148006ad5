namespace SessionActors;

/// <summary>
/// One session's guard: taken when it is first needed, shared by all that need it here, given back when nobody does. Runs in the turns of
/// its grain.
/// <para>
/// Redlock has no queue: a cluster that writes a session all the time would take the guard back before the others have asked again. So one
/// that had it for its turn leaves it alone for as long as they wait between two tries.
/// </para>
/// </summary>
internal sealed class SessionGuard(string session, string key, RedlockGuard masters, SessionSilo silo)
{
    private GuardUses _uses;
    private Taken? _taken;
    private Task<GuardReply>? _taking;
    private Task _releasing = Task.CompletedTask;
    private TimeSpan _turnSince;
    private TimeSpan _freeSince;
    private TimeSpan? _rivalSeenAt;

    /// <summary>Whether the guard is held, as far as its library knows.</summary>
    public bool IsHeld => _taken is { IsLost: false };

    /// <summary>What happens, in a turn of the grain, when the guard is lost while it is held.</summary>
    public Action? OnLost { get; set; }

    /// <summary>Completes when what was given back has reached the masters, or they do not answer.</summary>
    public Task Released => _releasing;

    /// <summary>Holds the guard for a use, until <see cref="Leave"/>.</summary>
    /// <param name="use">The use.</param>
    /// <param name="patience">How long to ask another cluster for it; it is asked once at least.</param>
    public async Task<GuardReply> EnterAsync(GuardUses use, TimeSpan patience)
    {
        while (true)
        {
            if (IsHeld)
            {
                _uses |= use;
                return new GuardReply(GuardOutcome.Held);
            }

            if (_taking is { IsCompleted: false } others)
            {
                await others;
                continue;
            }

            var taking = _taking = TakeAsync(use, patience);
            try
            {
                if (await taking is { Outcome: not GuardOutcome.Held } refused)
                {
                    return refused;
                }
            }
            finally
            {
                _taking = _taking == taking ? null : _taking;
            }
        }
    }

    /// <summary>A use is over. Gives the guard back, without waiting for the masters, when it was the last.</summary>
    public void Leave(GuardUses use)
    {
        _uses &= ~use;
        if (_uses == GuardUses.None && _taken is { } taken)
        {
            GiveBack(taken);
        }
    }

    /// <summary>Does something under the guard.</summary>
    /// <exception cref="SessionUnavailableException">The guard cannot be had.</exception>
    public async Task<T> WithinAsync<T>(TimeSpan patience, Func<Task<T>> step)
    {
        if (await EnterAsync(GuardUses.Write, patience) is { Outcome: not GuardOutcome.Held } refused)
        {
            throw refused.ToException(session);
        }

        try
        {
            return await step();
        }
        finally
        {
            Leave(GuardUses.Write);
        }
    }

    /// <summary>Another cluster uses the session, too.</summary>
    public void SawRival() => _rivalSeenAt = Now;

    // The library's clock, not the grains'.
    private static TimeSpan Now => TimeProvider.System.GetElapsedTime(0);

    /// <summary>The pause between two tries, at its longest, and a round trip.</summary>
    private TimeSpan LongestAbsence => silo.Options.RetryTime * 2;

    /// <summary>
    /// How long this cluster may have the guard again and again. Where no other was seen it is much longer than the pause that follows, and
    /// shorter than the patience of one that was not noticed.
    /// </summary>
    private TimeSpan Turn =>
        Now - _rivalSeenAt < silo.Options.LockExpiry ? silo.Options.RetryTime * 5 : silo.Options.LockExpiry / 2;

    private async Task<GuardReply> TakeAsync(GuardUses use, TimeSpan patience)
    {
        // Our own lock would be in the way.
        await _releasing;
        var now = Now;
        if (now - _freeSince > LongestAbsence)
        {
            _turnSince = now;
        }
        else if (now - _turnSince > Turn)
        {
            await Task.Delay(LongestAbsence - (now - _freeSince), TimeProvider.System);
            _turnSince = now = Now;
        }

        var reply = await masters.TryTakeAsync(key, patience);
        silo.Metrics.OnGuard(reply.Outcome);
        if (reply.Outcome == GuardOutcome.NoMajority)
        {
            GrainLog.NoMajority(silo.Logger, session, reply.Error);
        }
        else if (reply.Outcome == GuardOutcome.Busy || Now - now > silo.Options.RetryTime / 2)
        {
            SawRival();
        }

        if (reply.Handle is { } handle)
        {
            _uses |= use;
            var taken = _taken = new Taken(handle);
            WatchAsync(taken).Ignore();
        }

        return reply;
    }

    private async Task WatchAsync(Taken taken)
    {
        if (await taken.Ended && _taken == taken)
        {
            silo.Metrics.OnGuardLost();
            GrainLog.GuardLost(silo.Logger, session);
            GiveBack(taken);
            OnLost?.Invoke();
        }
    }

    private void GiveBack(Taken taken)
    {
        _taken = null;
        _freeSince = Now;
        _releasing = taken.ReleaseAsync();
    }

    /// <summary>A lock that was had.</summary>
    private sealed class Taken
    {
        // The library cancels on a thread of its own; what waits for this goes on in a turn of the grain.
        private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Medallion.Threading.IDistributedSynchronizationHandle _handle;
        private readonly CancellationToken _lost;

        public Taken(Medallion.Threading.IDistributedSynchronizationHandle handle)
        {
            _handle = handle;
            _lost = handle.HandleLostToken;
            _lost.Register(() => _ended.TrySetResult(true));
        }

        public bool IsLost => _lost.IsCancellationRequested;

        /// <summary>Whether it was lost; completes when it is, or was given back.</summary>
        public Task<bool> Ended => _ended.Task;

        public Task ReleaseAsync()
        {
            _ended.TrySetResult(false);
            return RedlockGuard.ReleaseAsync(_handle);
        }
    }
}
