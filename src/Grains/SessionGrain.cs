using System.Globalization;
using Orleans.Concurrency;
using Orleans.Placement;

namespace SessionActors;

/// <summary>
/// One session. Turns calls into state changes, flushes and answers, and owns nothing clever itself: <see cref="SessionState"/> decides
/// what a change does, <see cref="PendingWrites"/> when it is stored, <see cref="SessionLifetime"/> when the session ends,
/// <see cref="SessionOwner"/> who may write, <see cref="SessionActivation"/> what is in memory.
/// <para>
/// Calls interleave at their awaits, so that reads never wait for a flush; what must not be torn apart stands between two awaits, and after
/// each await the fields are looked at again.
/// </para>
/// </summary>
[Reentrant]
[PreferLocalPlacement]
internal sealed partial class SessionGrain : Grain, ISessionGrain
{
    private readonly SessionHandle _handle;
    private readonly string _session;
    private readonly SessionSilo _silo;
    private readonly SessionOwner _owner;
    private readonly SessionLifetime _lifetime = new();
    private readonly SessionActivation _activation;
    private readonly CallsUnderWay _calls = new();
    private RotationGrace? _grace;
    private TimeSpan _staysUntil;

    public SessionGrain(IGrainContext context, ISessionStorage storage, SessionSilo silo)
        : base(context)
    {
        _handle = SessionHandle.Parse(context.GrainId.Key.ToString()!);
        _session = _handle.LogName;
        _silo = silo;
        _owner = new SessionOwner(_handle, _session, storage, _lifetime, silo)
        {
            Stay = silo.Options.FlushMode == FlushMode.WriteBehind ? Stay : null,
        };
        _activation = new SessionActivation(_handle, _session, _owner, _lifetime, silo, this);
    }

    public async Task<SessionCreated> CreateAsync(NewSession session, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(request);
        var empty = SessionState.Empty(_silo.Options.Ttl, session.Secret);
        var delta = empty.Effective(JsonPatches.Resolve(session.Delta, empty, _session));
        var state = empty.Apply(new Change(delta), _silo.Options, _session);
        var writes = await CreatedAsync(state, delta, session, request);
        return new SessionCreated
        {
            Version = 1,
            Generation = writes.Current.Generation,
            Ttl = writes.Current.Ttl,
            LifetimeLeft = _lifetime.LifetimeLeft(_silo.Now),
        };
    }

    private async Task<PendingWrites> CreatedAsync(SessionState state, SessionDelta delta, NewSession session, SessionRequest request)
    {
        using var call = _calls.Enter(request.Id);
        try
        {
            var writes = await _activation.CreatedAsync(state, delta, session, request);
            if (!writes.Knows(request.Id))
            {
                throw request.UnansweredFor > TimeSpan.Zero
                    ? SessionUnavailableException.Unknown(_session, "it exists, and too much has changed since to tell who created it.")
                    : new InvalidOperationException($"Session {_session} exists already. A handle is used once: draw a new one.");
            }

            _silo.Metrics.OnCommitted();
            return writes;
        }
        catch (SessionException e)
        {
            _silo.Metrics.OnNotCommitted(e);
            if (AfterUnansweredTry(e, request) is { } told)
            {
                throw told;
            }

            throw;
        }
    }

    public Task<long> CommitAsync(SessionDelta delta, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(delta);
        return WriteAsync(
            request,
            state =>
            {
                // Here and not before, so that it is looked at anew when the delta is applied anew after a reload.
                var resolved = JsonPatches.Resolve(delta, state, _session);
                if (request.OnConflict == ConflictBehaviour.Refuse)
                {
                    state.RefuseConflict(resolved, request.Origin, _session);
                }

                return new Change(resolved);
            },
            static applied => applied.Version);
    }

    public Task<long> IncrementAsync(string name, long by, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(name);
        return WriteAsync(
            request,
            state => SessionCounter.Increment(state, name, by, _session),
            static applied => long.Parse(applied.Result, CultureInfo.InvariantCulture));
    }

    public Task<ReadOnlyMemory<byte>?> TakeAsync(string name, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(name);
        return WriteAsync(
            request, state => SessionOperations.Take(state, name), static applied => SessionOperations.Read(applied.Result));
    }

    public Task<bool> CompareAndSetAsync(
        string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(name);
        return WriteAsync(
            request,
            state => SessionOperations.CompareAndSet(state, name, expected, value),
            static applied => SessionOperations.IsDone(applied.Result));
    }

    public Task<ReadOnlyMemory<byte>> GetOrSetAsync(string name, ReadOnlyMemory<byte> value, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(name);
        return WriteAsync(
            request,
            state => SessionOperations.GetOrSet(state, name, value),
            applied => SessionOperations.Read(applied.Result) ?? value);
    }

    public async Task<int> RegenerateAsync(SecretHash secret, SessionRequest request)
    {
        SessionState? before = null;
        var generation = await WriteAsync(
            request,
            state =>
            {
                // Whoever came with the secret before this one's has no right to the next.
                CheckGeneration(state, request, mayBeOneBefore: false);
                before = state;
                return new Change(SessionDelta.Empty, secret, (state.Generation + 1).ToString(CultureInfo.InvariantCulture));
            },
            static applied => int.Parse(applied.Result, CultureInfo.InvariantCulture));
        if (before is not null && _silo.Options.RotationGrace > TimeSpan.Zero)
        {
            (_grace ??= new RotationGrace(_silo)).Begin(before);
        }

        return generation;
    }

    public Task DestroyAsync(SessionRequest request) => EndAsync(SessionEndReason.Destroyed, request);

    public async Task EndAsync(SessionEndReason reason, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (reason is not (SessionEndReason.Destroyed or SessionEndReason.Revoked or SessionEndReason.Limit))
        {
            throw new ArgumentOutOfRangeException(nameof(reason), reason, "Nobody ends a session for this reason; it ends so by itself.");
        }

        using var call = _calls.Enter(request.Id);
        // Out of reach or gone, it is ended all the same: a log-out must win.
        if (request.Generation is { } generation && await _activation.FreshOrNullAsync() is { } writes
            && generation < writes.Current.Generation)
        {
            throw new SessionDestroyedException(_session, SessionEndReason.Rotated);
        }

        await _activation.EndAsync(reason, request.Patience);
    }

    public ValueTask<bool> IsUnderWayAsync(RequestId call) => new(_calls.Has(call));

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        _activation.LeaveAsync(cancellationToken);

    /// <summary>Lets go of the session as soon as nobody calls.</summary>
    internal void Leave() => DeactivateOnIdle();

    /// <summary>Stays in memory for a while, whether anybody calls or not. A short while takes nothing from a long one.</summary>
    internal void Stay(TimeSpan time)
    {
        var until = _silo.Now + time;
        // Orleans goes by what it is asked last, and refuses it of an activation that has gone, which may still have something to store.
        if (until > _staysUntil && !_activation.IsLeaving)
        {
            _staysUntil = until;
            DelayDeactivation(time);
        }
    }

    private async Task<T> WriteAsync<T>(SessionRequest request, Func<SessionState, Change> operation, Func<Applied, T> answer)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var call = _calls.Enter(request.Id);
        PendingWrites? writes = null;
        try
        {
            writes = await _activation.LoadedAsync();
            if (IsDoubtful(request, writes.Current))
            {
                // Whoever owns it may have stored an earlier try, or still store it.
                await writes.ValidateAsync(mustOwn: request.Lease is not null || request.UnansweredFor > TimeSpan.Zero);
            }

            var applied = await writes.WriteAsync(request, state =>
            {
                CheckGeneration(state, request);
                _lifetime.Slide(_silo.Now);
                return operation(state) with { By = request.Origin };
            });
            _silo.Metrics.OnCommitted();
            return answer(applied);
        }
        catch (SessionException e)
        {
            _silo.Metrics.OnNotCommitted(e);
            if (AfterUnansweredTry(e, request) is { } told)
            {
                throw told;
            }

            throw;
        }
        finally
        {
            // What was not flushed, or could not be, is activity all the same.
            if (writes is not null)
            {
                _activation.TouchInBackground(writes);
            }
        }
    }

    /// <summary>A call whose caller heard nothing of it before may have been stored then, whatever became of it this time.</summary>
    private SessionUnavailableException? AfterUnansweredTry(SessionException e, SessionRequest request) => e switch
    {
        SessionUnavailableException unavailable when request.UntoldFor > TimeSpan.Zero => unavailable.AfterUnansweredTry(),
        SessionLeaseTimeoutException { MayWaitOn: false } when request.UnansweredFor > TimeSpan.Zero =>
            SessionUnavailableException.Unknown(_session, "others have it to themselves, and an earlier try was never answered.", e),
        _ => null,
    };

    /// <summary>
    /// Whether somebody else must have the session, or may: one who has had the call before, or knows a secret that is newer.
    /// </summary>
    private static bool IsDoubtful(SessionRequest request, SessionState state) =>
        request.UnansweredFor > TimeSpan.Zero || (request.Lease is not null && request.UntoldFor > TimeSpan.Zero)
        || request.Generation > state.Generation;

    private void CheckGeneration(SessionState state, SessionRequest request, bool mayBeOneBefore = true)
    {
        if (request.Generation is { } generation && generation != state.Generation
            && !(mayBeOneBefore && _grace?.Has(generation, state) is true))
        {
            throw new SessionDestroyedException(_session, SessionEndReason.Rotated);
        }
    }
}
