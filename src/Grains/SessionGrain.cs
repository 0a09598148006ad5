using System.Globalization;
using Orleans.Concurrency;
using Orleans.Placement;

namespace SessionActors;

/// <summary>
/// One session. Turns calls into state changes, flushes and answers, and owns nothing clever itself: <see cref="SessionState"/> decides
/// what a change does, <see cref="PendingWrites"/> when it is stored, <see cref="SessionLifetime"/> when the session ends,
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

    public SessionGrain(IGrainContext context, ISessionStorage storage, SessionSilo silo)
    {
        _handle = SessionHandle.Parse(context.GrainId.Key.ToString()!);
        _session = _handle.LogName;
        _storage = storage;
        _silo = silo;
        _owner = new SessionOwner(_handle, storage, _lifetime, silo);
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
            await StartOnceAsync(() => _owner.CreateAsync(session, request));
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
                : _owner.ReleaseAsync(writes.Flushed));
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
            // Nobody waits for it.
            TouchIfDueAsync(writes).Ignore();
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
        var applied = await writes.AddAsync(request, state =>
        {
            CheckGeneration(state, request);
            return operation(state);
        });
        // What changed nothing was not flushed, and is activity all the same.
        TouchIfDueAsync(writes).Ignore();
        return applied;
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
                await StartOnceAsync(_owner.ClaimAsync);
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
    private async Task StartOnceAsync(Func<Task<LoadedSession>> load)
    {
        var starting = _starting ??= StartAsync(load);
        try
        {
            await starting;
        }
        finally
        {
            if (_starting == starting)
            {
                _starting = null;
            }
        }
    }

    private async Task StartAsync(Func<Task<LoadedSession>> load)
    {
        try
        {
            var loaded = await load();
            // A destroy may have won meanwhile.
            if (_stopped is null)
            {
                _writes = new PendingWrites(_handle, _storage, _owner, _lifetime, _silo, loaded, Stop);
            }
        }
        catch (SessionDestroyedException e)
        {
            Stop(e);
        }
        catch (SessionException)
        {
            // Nothing is in memory: this activation has no reason to stay, and the same call sent again finds a fresh one.
            DeactivateOnIdle();
            throw;
        }
    }

    private async Task TouchIfDueAsync(PendingWrites writes)
    {
        try
        {
            // A flush that is under way carries the renewal itself, or the next call sends it.
            await (writes.IsIdle ? _owner.TouchIfDueAsync(writes.Flushed) : Task.CompletedTask);
        }
        catch (SessionException e)
        {
            Stop(e);
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
