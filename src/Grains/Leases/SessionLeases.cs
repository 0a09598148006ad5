namespace SessionActors;

/// <summary>
/// Exclusive access to a session in memory: lets one caller at a time have the lease, and holds the commits of all others back meanwhile.
/// Runs in the turns of its grain. When a lease ends, in the same turn and in this order: what was held back is handed to
/// <see cref="PendingWrites"/>, the next in line has the lease. It is told so when all that is pending is stored, so that nothing changes
/// under the snapshot it gets.
/// </summary>
internal sealed class SessionLeases(string session, PendingWrites writes, SessionSilo silo, long epoch, SessionGuard? guard)
{
    // A caller whose patience is used up asks again all the same, though not in a circle.
    private static readonly TimeSpan ShortestSlice = TimeSpan.FromMilliseconds(20);

    private readonly LeaseTimes _times = new(silo.Options.LockExpiry, silo.Options.MaxLease);
    private readonly LeaseQueue _queue = new(new(silo.Options.LockExpiry, silo.Options.MaxLease), silo.Options.MaxWaiters, epoch);
    private readonly List<HeldWrite> _held = [];
    private Task _watching = Task.CompletedTask;
    private SessionException? _closed;

    // Even where they need not wait for a lease, a stream of commits must not keep its holder waiting for all to be stored.
    private bool HoldsBack => silo.Options.LeaseBlocksShared ? _queue.IsHeld : _queue.IsToBeTold;

    /// <summary>Whether a call under this lease may change the session.</summary>
    public bool IsHeldBy(RequestId lease, long? token) => _queue.IsHeldBy(lease, token);

    /// <summary>Waits its turn, and for everything before it to be stored.</summary>
    /// <exception cref="SessionLeaseTimeoutException">It is not its turn yet, or too many wait.</exception>
    /// <exception cref="SessionException">The session has ended, or is somebody else's.</exception>
    public async Task<LeaseGrant> AcquireAsync(SessionRequest request)
    {
        ThrowIfClosed();
        Pass();
        var seeker = _queue.Enter(request.Id, silo.Now) ?? throw Crowded();
        try
        {
            Pass();
            if (!await WaitAsync(seeker.Granted, request) && !_queue.IsHeldBy(seeker.Id))
            {
                throw Impatient(request, () => _queue.Release(seeker.Id));
            }

            await StoredAsync(seeker, request);
            var slice = LeaseTimes.Least(SliceOf(request), LeaseWaitLeft(request));
            if (guard is not null
                && !await guard.HoldForLeaseAsync(session, writes, slice, lost: LoseGuard, giveUp: why => GiveUp(seeker, why)))
            {
                throw Impatient(request, () => _queue.Release(seeker.Id));
            }

            ThrowIfClosed();
            if (!_queue.IsHeldBy(seeker.Id))
            {
                throw SessionLeaseTimeoutException.NotYet(session);
            }

            seeker.WasTold = true;
            return new LeaseGrant { Id = seeker.Id, Token = seeker.Token, Expiry = silo.Options.LockExpiry };
        }
        finally
        {
            _queue.Leave(seeker, silo.Now);
            Pass();
        }
    }

    public bool Renew(RequestId lease)
    {
        Pass();
        return _queue.Renew(lease, silo.Now);
    }

    public void Release(RequestId lease)
    {
        if (_queue.Release(lease))
        {
            Pass();
        }
    }

    /// <summary>Hands a change to the pending ones: at once, or when the lease ends that somebody else has.</summary>
    /// <exception cref="SessionLeaseLostException">It is made under a lease that is lost.</exception>
    /// <exception cref="SessionLeaseTimeoutException">Somebody else has the lease still.</exception>
    public Task<Applied> WriteAsync(SessionRequest request, Func<SessionState, Change> operation)
    {
        Pass();
        return HoldsBack && request.Lease is null ? HoldAsync(request, operation) : writes.AddAsync(request, operation);
    }

    /// <summary>
    /// The session was somebody else's meanwhile, so whoever had it exclusively has not; unless only a read came between, which leaves it
    /// as it was and needs no guard. Goes on with <see cref="Pass"/>.
    /// </summary>
    public void Lose(long newEpoch, bool unchanged = false)
    {
        if (_queue.Lose(newEpoch, unchanged && guard?.IsHeld is true))
        {
            OnLost();
        }
    }

    /// <summary>
    /// A seeker whose turn it was cannot have the lease; nor can those behind it, where nobody here can reach what it takes.
    /// </summary>
    private void GiveUp(LeaseSeeker seeker, SessionException why)
    {
        _queue.Release(seeker.Id);
        if (why is SessionUnavailableException { Moved: false })
        {
            _queue.FailWaiting(why);
        }
    }

    /// <summary>The guard is lost, so another cluster may have the session now: whoever has it here has it no longer.</summary>
    private void LoseGuard()
    {
        Lose(epoch);
        Pass();
    }

    /// <summary>Turns away all who wait and all who come.</summary>
    public void Close(SessionException why)
    {
        _closed = why;
        _queue.Close(why);
        guard?.Leave(GuardUses.Lease);
        foreach (var write in _held)
        {
            write.Fail(why);
        }

        _held.Clear();
    }

    private async Task<Applied> HoldAsync(SessionRequest request, Func<SessionState, Change> operation)
    {
        var held = _held.Find(write => write.Request.Id == request.Id);
        if (held is null)
        {
            if (writes.MayHave(request))
            {
                return await writes.AddAsync(request, operation);
            }

            if (_held.Count >= silo.Options.MaxWaiters)
            {
                throw Crowded();
            }

            held = new HeldWrite(request, operation, silo.Now);
            _held.Add(held);
            Watch();
        }

        if (!await WaitAsync(held.Admitted, request) && !held.Admitted.IsCompleted)
        {
            throw Impatient(request, () => _held.Remove(held));
        }

        return await await held.Admitted;
    }

    /// <summary>Waits until all is stored that was acknowledged before; with the store out of reach as long as the caller does.</summary>
    private async Task StoredAsync(LeaseSeeker seeker, SessionRequest request)
    {
        var stored = writes.StoredAsync();
        try
        {
            await (writes.HasUnstored ? stored.WaitAsync(request.Patience, silo.Time) : stored);
        }
        catch (TimeoutException)
        {
            var why = ProjectedWrites.TooSlow(session);
            GiveUp(seeker, why);
            throw why;
        }
    }

    /// <summary>
    /// Waits for a slice of the time that the caller has. False where it is not over then; what is awaited may end in the same moment.
    /// </summary>
    private async Task<bool> WaitAsync(Task turn, SessionRequest request)
    {
        if (turn.IsCompleted)
        {
            await turn;
            return true;
        }

        silo.Metrics.OnSeeking();
        try
        {
            await turn.WaitAsync(LeaseTimes.Least(SliceOf(request), LeaseWaitLeft(request)), silo.Time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            silo.Metrics.OnSought();
        }
    }

    private SessionLeaseTimeoutException Crowded()
    {
        silo.Metrics.OnLimit(nameof(silo.Options.MaxWaiters));
        return SessionLeaseTimeoutException.Crowded(session, silo.Options.MaxWaiters);
    }

    private SessionLeaseTimeoutException Impatient(SessionRequest request, Func<bool> giveUp)
    {
        if (LeaseWaitLeft(request) > SliceOf(request))
        {
            return SessionLeaseTimeoutException.NotYet(session);
        }

        giveUp();
        return SessionLeaseTimeoutException.Over(session, silo.Options.LeaseWait);
    }

    private TimeSpan SliceOf(SessionRequest request) =>
        LeaseTimes.Least(_times.Slice, request.Patience / 2 > ShortestSlice ? request.Patience / 2 : ShortestSlice);

    private TimeSpan LeaseWaitLeft(SessionRequest request) =>
        request.WaitedFor < silo.Options.LeaseWait ? silo.Options.LeaseWait - request.WaitedFor : TimeSpan.Zero;

    /// <summary>Ends the lease if its time is over, and gives a free one to the next.</summary>
    public void Pass()
    {
        if (_queue.Expire(silo.Now))
        {
            OnLost();
        }

        if (!HoldsBack)
        {
            var admitted = _held.ToArray();
            _held.Clear();
            foreach (var write in admitted)
            {
                write.Admit(writes, silo.Now);
            }
        }

        if (!_queue.IsHeld)
        {
            guard?.Leave(GuardUses.Lease);
            _queue.GrantNext(silo.Now);
        }

        Watch();
    }

    private void Watch()
    {
        if (_watching.IsCompleted)
        {
            _watching = WatchAsync();
            _watching.Ignore();
        }
    }

    /// <summary>While somebody waits, be it in another cluster: looks again when the holder's time is over.</summary>
    private async Task WatchAsync()
    {
        while (_closed is null && (_held.Count > 0 || _queue.Waiting > 0 || guard is not null) && _queue.ExpiresAt is { } end)
        {
            if (end > silo.Now)
            {
                // A delay has whole milliseconds: rounded down it would be none at all, and this a loop that waits for nothing.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling((end - silo.Now).TotalMilliseconds)), silo.Time);
            }

            Pass();
        }
    }

    private void OnLost()
    {
        silo.Metrics.OnLeaseLost();
        GrainLog.LeaseLost(silo.Logger, session);
    }

    private void ThrowIfClosed()
    {
        if (_closed is not null)
        {
            throw _closed;
        }
    }
}
