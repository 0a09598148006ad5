using System.Globalization;
using Orleans.Concurrency;
using Orleans.Placement;

namespace SessionActors;

/// <summary>
/// One session. Turns calls into state changes, flushes and answers, and owns nothing clever itself: <see cref="SessionState"/> decides what
/// a change does, <see cref="PendingWrites"/> when it is stored, <see cref="SessionLifetime"/> when the session ends,
/// <see cref="SessionOwner"/> who may write.
/// <para>
/// Calls interleave at their awaits, so that reads never wait for a flush; what must not be torn apart stands between two awaits, and after
/// each await the fields are looked at again.
/// </para>
/// </summary>
[Reentrant]
[PreferLocalPlacement]
internal sealed class SessionGrain : Grain, ISessionGrain
{
    private readonly SessionHandle _handle;
    private readonly string _session;
    private readonly ISessionStorage _storage;
    private readonly SessionSilo _silo;
    private readonly SessionOwner _owner;
    private readonly SessionLifetime _lifetime = new();
    private PendingWrites? _writes;
    private Task? _starting;
    private SessionException? _stopped;
    private bool _touching;

    public SessionGrain(IGrainContext context, ISessionStorage storage, SessionSilo silo)
    {
        _handle = SessionHandle.Parse(context.GrainId.Key.ToString()!);
        _session = _handle.LogName;
        _storage = storage;
        _silo = silo;
        _owner = new SessionOwner(_handle, storage, silo);
    }

    public ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide) =>
        _writes is { } writes && EndedBy(writes) is null ? new(Open(writes, secret, slide)) : LoadAndOpenAsync(secret, slide);

    public ValueTask<SessionSnapshot?> ReadAsync() =>
        _writes is { } writes && EndedBy(writes) is null ? new(writes.Flushed.Opening.Snapshot) : LoadAndReadAsync();

    public async Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(request);
        if (_writes is null && _stopped is null)
        {
            await StartOnceAsync(() => CreateOrClaimAsync(session, request));
        }

        var writes = await LoadedAsync();
        if (!writes.Knows(request.Id))
        {
            throw new InvalidOperationException($"Session {_session} exists already. A handle is used once: draw a new one.");
        }

        return new SessionCreated
        {
            Version = 1,
            Generation = writes.Flushed.Generation,
            Ttl = writes.Flushed.Ttl,
            LifetimeLeft = _lifetime.LifetimeLeft(_silo.Now),
        };
    }

    public async Task<long> CommitAsync(SessionDelta delta, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(delta);
        var applied = await WriteAsync(request, _ => new Change(delta));
        return applied.Version;
    }

    public async Task<long> IncrementAsync(string name, long by, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(name);
        var applied = await WriteAsync(request, state => SessionCounter.Increment(state, name, by, _session));
        return long.Parse(applied.Result, CultureInfo.InvariantCulture);
    }

    public async Task<int> RegenerateAsync(SecretHash secret, SessionRequest request)
    {
        var applied = await WriteAsync(
            request,
            state => new Change(SessionDelta.Empty, secret, (state.Generation + 1).ToString(CultureInfo.InvariantCulture)));
        return int.Parse(applied.Result, CultureInfo.InvariantCulture);
    }

    public async Task DestroyAsync(SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_writes is { } writes)
        {
            CheckGeneration(writes.Flushed, request);
        }

        try
        {
            await _owner.DestroyAsync(request.Patience);
        }
        catch (SessionUnavailableException e) when (e.MayBeApplied)
        {
            Stop(SessionUnavailableException.TakenOver(_session));
            throw;
        }

        Stop(new SessionDestroyedException(_session, SessionEndReason.Destroyed));
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_writes is { } writes)
        {
            await writes.Drained.WaitAsync(cancellationToken);
            if (_writes is null)
            {
                return;
            }

            await (EndedBy(writes) is { } over
                ? EndAsync(over)
                : _owner.ReleaseAsync(_lifetime.Left(_silo.Now, writes.Flushed.Ttl)));
        }
    }

    private SessionOpening Open(PendingWrites writes, SecretHash secret, bool slide)
    {
        var state = writes.Flushed;
        if (state.Secret is not { } own || !own.Matches(secret))
        {
            return SessionOpening.Superseded;
        }

        if (slide)
        {
            _lifetime.Slide(_silo.Now);
            TouchIfDue(writes);
        }

        return state.Opening;
    }

    private async ValueTask<SessionOpening> LoadAndOpenAsync(SecretHash secret, bool slide)
    {
        try
        {
            return Open(await LoadedAsync(), secret, slide);
        }
        catch (SessionDestroyedException e)
        {
            return SessionOpening.Ended(e.Reason);
        }
    }

    private async ValueTask<SessionSnapshot?> LoadAndReadAsync()
    {
        try
        {
            return (await LoadedAsync()).Flushed.Opening.Snapshot;
        }
        catch (SessionDestroyedException)
        {
            return null;
        }
    }

    private async Task<Applied> WriteAsync(SessionRequest request, Func<SessionState, Change> operation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var writes = await LoadedAsync();
        _lifetime.Slide(_silo.Now);
        return await writes.AddAsync(request.Id, request.Patience, state =>
        {
            CheckGeneration(state, request);
            return operation(state);
        });
    }

    private void CheckGeneration(SessionState state, SessionRequest request)
    {
        if (request.Generation is { } generation && generation != state.Generation)
        {
            throw new SessionDestroyedException(_session, SessionEndReason.Rotated);
        }
    }

    /// <summary>The session in memory, loaded if need be; throws where it has ended.</summary>
    private async ValueTask<PendingWrites> LoadedAsync()
    {
        while (true)
        {
            if (_stopped is not null)
            {
                throw _stopped;
            }

            if (_writes is not { } writes)
            {
                await StartOnceAsync(ClaimAsync);
            }
            else if (EndedBy(writes) is { } reason)
            {
                await EndAsync(reason);
            }
            else
            {
                return writes;
            }
        }
    }

    private SessionEndReason? EndedBy(PendingWrites writes) =>
        writes.IsIdle ? _lifetime.EndedBy(_silo.Now, writes.Flushed.Ttl) : null;

    private async Task EndAsync(SessionEndReason reason) => Stop(await _owner.EndAsync(reason));

    /// <summary>Joins the claim or create that is under way, or begins one. A session that has ended stops the activation.</summary>
    private async Task StartOnceAsync(Func<Task> start)
    {
        var starting = _starting ??= start();
        try
        {
            await starting;
        }
        catch (SessionDestroyedException e)
        {
            Stop(e);
        }
        finally
        {
            if (_starting == starting)
            {
                _starting = null;
            }
        }
    }

    private async Task ClaimAsync()
    {
        var stored = await _owner.ClaimAsync();
        var state = SessionState.From(stored, _silo.Options.Ttl);
        _lifetime.Start(_silo.Now, state.Ttl, stored.KeptFor, stored.LifetimeLeft);
        Start(state, new RequestRing(stored));
    }

    private async Task CreateOrClaimAsync(NewSession session, SessionRequest request)
    {
        try
        {
            var empty = SessionState.Empty(_silo.Options.Ttl, session.Secret);
            var change = new Change(empty.Effective(session.Delta));
            var state = empty.Apply(change, _silo.Options, _session);
            var sentAt = _silo.Now;
            _lifetime.Start(sentAt, state.Ttl, state.Ttl, _silo.Options.AbsoluteLifetime);
            var keepFor = _lifetime.KeepForAnyway(sentAt, state.Ttl, _silo.Options.TouchIntervalOf(state.Ttl));
            var first = new RingEntry(request.Id, "");
            var flush = new Flush { Owner = _owner.Nonce, FromVersion = 0, Entries = [first], Delta = change.Delta, KeepFor = keepFor };
            if (await _owner.CreateAsync(flush, session.Secret, request.Patience))
            {
                _lifetime.Kept(sentAt, keepFor);
                var ring = new RequestRing();
                ring.Add(1, first);
                Start(state, ring);
            }
            else
            {
                await ClaimAsync();
            }
        }
        catch (SessionException e) when (e is not SessionDestroyedException)
        {
            // Nothing is in memory: this activation has no reason to stay, and the same call sent again finds a fresh one.
            DeactivateOnIdle();
            throw;
        }
    }

    private void Start(SessionState state, RequestRing ring)
    {
        // A destroy may have won while the claim was under way.
        if (_stopped is null)
        {
            _writes = new PendingWrites(_handle, _storage, _owner, _lifetime, _silo, Stop);
            _writes.Start(state, ring);
        }
    }

    private void TouchIfDue(PendingWrites writes)
    {
        var ttl = writes.Flushed.Ttl;
        // A flush that is under way carries the renewal itself, or the next open sends it.
        if (!_touching && writes.IsIdle && _lifetime.KeepFor(_silo.Now, ttl, _silo.Options.TouchIntervalOf(ttl)) is { } keepFor)
        {
            _touching = true;
            TouchAsync(writes.Flushed.Version, keepFor).Ignore();
        }
    }

    private async Task TouchAsync(long version, TimeSpan keepFor)
    {
        var nonce = _owner.Nonce;
        try
        {
            var sentAt = _silo.Now;
            if (await _owner.TouchAsync(version, keepFor))
            {
                _lifetime.Kept(sentAt, keepFor);
            }
        }
        catch (SessionException e) when (_owner.Nonce == nonce)
        {
            Stop(e);
        }
        finally
        {
            _touching = false;
        }
    }

    /// <summary>
    /// Lets go of the session, because it has ended or somebody else has it. Until this activation is gone it answers everything that way.
    /// </summary>
    private void Stop(SessionException why)
    {
        if (_stopped is not null)
        {
            return;
        }

        _stopped = why;
        _writes?.Stop(why);
        _writes = null;
        if (why is SessionDestroyedException { Reason: not SessionEndReason.Missing } ended)
        {
            _silo.Metrics.OnEnded(ended.Reason);
            GrainLog.Ended(_silo.Logger, _session, ended.Reason);
        }

        DeactivateOnIdle();
    }
}
