namespace SessionActors;

/// <summary>
/// Who holds exclusive access to a session, who waits for it and in which order. Pure: it is told the time and starts nothing.
/// <para>
/// A caller waits in slices: it is present while one of its calls is here, and a waiter who stays away for longer than
/// <see cref="LeaseTimes.Absence"/> has gone (its server was killed) and loses its place. A holder who is present does not expire, since it
/// has not been told yet that it holds.
/// </para>
/// </summary>
internal sealed class LeaseQueue(LeaseTimes times, int maxWaiters, long epoch)
{
    private readonly LinkedList<LeaseSeeker> _waiting = [];
    private LeaseSeeker? _holder;
    private long _lastToken = epoch << 32;

    /// <summary>Whether somebody has the lease.</summary>
    public bool IsHeld => _holder is not null;

    /// <summary>Whether somebody has the lease and is here to be told so.</summary>
    public bool IsToBeTold => _holder is { Calls: > 0, WasTold: false };

    /// <summary>How many wait.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>When the holder's time is over unless it renews; null without a holder, or while it is present.</summary>
    public TimeSpan? ExpiresAt => _holder is { Calls: 0 } holder ? holder.ExpiresAt : null;

    public bool IsHeldBy(RequestId id, long? token = null) => _holder?.Id == id && _holder.Token == (token ?? _holder.Token);

    /// <summary>A call that seeks the lease has come: for the first time, or again. Null: too many wait.</summary>
    public LeaseSeeker? Enter(RequestId id, TimeSpan now)
    {
        var seeker = IsHeldBy(id) ? _holder : Find(id);
        if (seeker is null)
        {
            DropAbsent(now);
            if (_waiting.Count >= maxWaiters)
            {
                return null;
            }

            seeker = new LeaseSeeker(id);
            _waiting.AddLast(seeker);
        }

        seeker.Calls++;
        return seeker;
    }

    /// <summary>A call has ended. From then on a holder has to renew, and a waiter to come again.</summary>
    public void Leave(LeaseSeeker seeker, TimeSpan now)
    {
        seeker.Calls--;
        seeker.LeftAt = now;
        if (_holder == seeker)
        {
            seeker.ExpiresAt = LeaseTimes.Least(now + times.Expiry, seeker.LatestEnd);
        }
    }

    /// <summary>The holder lives. False where it is not the holder (any more).</summary>
    public bool Renew(RequestId id, TimeSpan now)
    {
        if (!IsHeldBy(id))
        {
            return false;
        }

        _holder!.ExpiresAt = LeaseTimes.Least(now + times.Expiry, _holder.LatestEnd);
        return true;
    }

    /// <summary>The holder gives the lease back, or a waiter gives up. False where there is neither.</summary>
    public bool Release(RequestId id)
    {
        if (IsHeldBy(id))
        {
            _holder = null;
            return true;
        }

        if (Find(id) is not { } seeker)
        {
            return false;
        }

        _waiting.Remove(seeker);
        seeker.GiveUp();
        return true;
    }

    /// <summary>Takes the lease from a holder who is silent. True where it did.</summary>
    public bool Expire(TimeSpan now)
    {
        if (ExpiresAt is not { } end || now < end)
        {
            return false;
        }

        _holder = null;
        return true;
    }

    /// <summary>Takes the lease from its holder: the session was somebody else's meanwhile. True where there was one.</summary>
    /// <param name="newEpoch">What later tokens begin with.</param>
    /// <param name="unchanged">Whether the holder keeps it, since nobody has changed or can have granted anything meanwhile.</param>
    public bool Lose(long newEpoch, bool unchanged = false)
    {
        // A holder who was not told yet that it holds keeps its place, with a token of the new epoch.
        _lastToken = Math.Max(newEpoch << 32, _lastToken);
        if (IsToBeTold)
        {
            _holder!.Token = ++_lastToken;
            return false;
        }

        var loses = IsHeld && !unchanged;
        _holder = loses ? null : _holder;
        return loses;
    }

    /// <summary>Gives the lease, if nobody has it, to the first who waits and has not gone.</summary>
    public void GrantNext(TimeSpan now)
    {
        DropAbsent(now);
        if (_holder is null && _waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            _holder = first.Value;
            _holder.Token = ++_lastToken;
            _holder.LatestEnd = now + times.Longest;
            _holder.ExpiresAt = now + times.Expiry;
            _holder.Grant();
        }
    }

    /// <summary>Turns everybody away.</summary>
    public void Close(SessionException why)
    {
        _holder?.Fail(why);
        _holder = null;
        FailWaiting(why);
    }

    /// <summary>Turns those away who wait.</summary>
    public void FailWaiting(SessionException why)
    {
        foreach (var seeker in _waiting)
        {
            seeker.Fail(why);
        }

        _waiting.Clear();
    }

    private LeaseSeeker? Find(RequestId id) => _waiting.FirstOrDefault(seeker => seeker.Id == id);

    private void DropAbsent(TimeSpan now)
    {
        for (var node = _waiting.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value is { Calls: 0 } gone && now - gone.LeftAt > times.Absence)
            {
                _waiting.Remove(node);
            }

            node = next;
        }
    }
}

/// <summary>Somebody who seeks the lease, or has it.</summary>
internal sealed class LeaseSeeker(RequestId id)
{
    private readonly TaskCompletionSource<bool> _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RequestId Id => id;

    /// <summary>Whether the lease was granted; false where the seeker gave up. Fails where the session ends.</summary>
    public Task<bool> Granted => _granted.Task;

    /// <summary>How many of its calls are here; more than one where a call was sent again.</summary>
    public int Calls { get; set; }

    /// <summary>When the last of them ended.</summary>
    public TimeSpan LeftAt { get; set; }

    /// <summary>Whether it was told that it holds the lease.</summary>
    public bool WasTold { get; set; }

    public long Token { get; set; }

    public TimeSpan ExpiresAt { get; set; }

    /// <summary>When even a holder that renews has held for long enough.</summary>
    public TimeSpan LatestEnd { get; set; }

    public void Grant() => _granted.TrySetResult(true);

    public void GiveUp() => _granted.TrySetResult(false);

    public void Fail(SessionException why)
    {
        _granted.TrySetException(why);
        // Nobody may be here to see it.
        _ = _granted.Task.Exception;
    }
}

/// <summary>How long the phases of a lease last.</summary>
/// <param name="Expiry">How long a silent holder keeps it (<c>LockExpiry</c>).</param>
/// <param name="Longest">How long a holder keeps it that renews (<c>MaxLease</c>).</param>
internal readonly record struct LeaseTimes(TimeSpan Expiry, TimeSpan Longest)
{
    /// <summary>
    /// How long a call waits here before its caller is asked whether it still does. A holder renews three times in <see cref="Expiry"/>, so
    /// one that is killed keeps the lease for two thirds of it at least: by then the waiters killed with it have gone too, and the next one
    /// is alive.
    /// </summary>
    public TimeSpan Slice => Expiry * 2 / 5;

    /// <summary>How long a waiter may stay away between two calls: many times a round trip.</summary>
    public TimeSpan Absence => Expiry / 5;

    public static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
