using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// This activation's hold on its session in the store: the nonce that fences every other writer off, how it is won, kept, given back and
/// ended. Each step is sent until the store answers; what the answer means for the callers is said by exceptions. Knows the session's
/// lifetime, because every step tells or asks the store how long to keep the session.
/// </summary>
internal sealed partial class SessionOwner(
    SessionHandle handle, string session, ISessionStorage storage, SessionLifetime lifetime, SessionSilo silo)
{
    // Who asks has a caller that only reads, and loses nothing by asking again.
    private static readonly TimeSpan PeekPatience = TimeSpan.FromSeconds(1);

    private readonly SessionGuard? _guard = silo.Guard is { } masters
        ? new SessionGuard(session, $"{silo.Options.KeyPrefix}@guard:{handle}", masters, silo) : null;

    // Where shared commits do not wait for a lease, its guard must not be in the way of theirs.
    private readonly SessionGuard? _ownLeaseGuard = silo.Guard is { } masters && !silo.Options.LeaseBlocksShared
        ? new SessionGuard(session, $"{silo.Options.KeyPrefix}@lease:{handle}", masters, silo) : null;

    /// <summary>What keeps other clusters' writers out while this one writes; null where there are none to expect.</summary>
    public SessionGuard? Guard => _guard;

    /// <summary>What keeps other clusters out while somebody has a lease here.</summary>
    public SessionGuard? LeaseGuard => _ownLeaseGuard ?? _guard;

    /// <summary>
    /// Whether what is in memory is as the store has it, without asking: no other cluster writes the session, and this silo has not lost
    /// touch with its own, nor been warned since the store last said that the session is this activation's.
    /// </summary>
    public bool KnowsAll => _guard is null && silo.Serving.IsHeld && ConfirmedAt >= silo.Healing.Store.WarnedAt;

    /// <summary>Keeps an activation that nobody calls in memory; null where it has nothing that is not stored.</summary>
    public Action<TimeSpan>? Stay { get; init; }

    /// <summary>The nonce of the last claim; before the first one, the nonce that a create owns the session with.</summary>
    public OwnerNonce Nonce { get; private set; } = OwnerNonce.New();

    /// <summary>
    /// Creates the session, or claims it where it is there already: by an earlier try of this very call, or by somebody else.
    /// </summary>
    /// <exception cref="SessionDestroyedException">A session with this handle has ended.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<LoadedSession> CreateAsync(
        SessionState state, SessionDelta delta, NewSession asked, SessionRequest request)
    {
        var creation = new Creation
        {
            OwnerName = silo.Names.Here,
            Secret = state.Secret,
            AbsoluteLifetime = asked.IsIndex || asked.AbsoluteLifetime < silo.Options.AbsoluteLifetime
                || silo.Options.AbsoluteLifetime is null ? asked.AbsoluteLifetime : silo.Options.AbsoluteLifetime,
            EventGrace = silo.Events is null || asked.IsIndex || asked.IsUntold ? null : silo.Options.EventGrace,
            // An earlier try counts too: past the deadline none may make the session any more.
            StartedAt = silo.Time.GetTimestamp() - (long)(request.UnansweredFor.TotalSeconds * silo.Time.TimestampFrequency),
        };
        var (askedAt, sentAt) = (AskedAt, silo.Now);
        lifetime.Start(sentAt, sentAt, state.Ttl, state.Ttl, creation.AbsoluteLifetime);
        var keepFor = lifetime.KeepForAnyway(sentAt, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl));
        _eventGrace = creation.EventGrace;
        if (!await IndexedAsync(keepFor, request.Patience))
        {
            throw SessionUnavailableException.NotApplied(session, "the store is out of reach.");
        }

        var first = new RingEntry(request.Id, "");
        var flush = new Flush { Owner = Nonce, FromVersion = 0, Entries = [first], Delta = delta, KeepFor = keepFor };
        var reply = await AskAsync("create session", request.Patience, () => storage.CreateAsync(handle, creation, flush));
        silo.Metrics.OnFlushed(silo.Now - sentAt, reply.Outcome, flush);
        switch (reply.Outcome)
        {
            case StoreOutcome.Written:
                Owns(epoch: 1, from: null, version: 0, askedAt);
                Has(creation.EventGrace, told: 0, state.Generation);
                lifetime.Kept(sentAt, keepFor);
                lifetime.Slide(silo.Now);
                var ring = new RequestRing();
                ring.Add(state.Version, first, silo.Now);
                return new LoadedSession(state, ring, Epoch: 1);
            case StoreOutcome.AlreadyWritten or StoreOutcome.Exists:
                try
                {
                    return await ClaimAsync();
                }
                catch (SessionUnavailableException e) when (reply.AfterUnknown || reply.IsDone)
                {
                    throw e.AfterUnansweredTry();
                }
            case StoreOutcome.Tombstone:
                silo.Metrics.OnRefused(reply.Outcome);
                throw new SessionDestroyedException(session, reply.Reason);
            default:
                throw reply.ToException(session);
        }
    }

    /// <inheritdoc cref="ClaimAsync(TimeSpan, Action?)"/>
    public Task<LoadedSession> ClaimAsync() => ClaimAsync(SessionRequest.DefaultPatience);

    /// <summary>Draws a new nonce, claims the session with it and reads it.</summary>
    /// <param name="patience">How long to ask the store.</param>
    /// <param name="onTry">What happens before each try.</param>
    /// <exception cref="SessionDestroyedException">There is nothing to claim.</exception>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task<LoadedSession> ClaimAsync(TimeSpan patience, Action? onTry = null)
    {
        if (silo.PreviousOwners is { } previous)
        {
            await previous.AskAsync(handle, this, silo);
        }

        var nonce = Nonce = OwnerNonce.New();
        var (askedAt, sentAt, began) = (AskedAt, silo.Now, silo.Now);
        var reply = await AskAsync("load session", patience, () =>
        {
            onTry?.Invoke();
            sentAt = silo.Now;
            return storage.ClaimAsync(handle, nonce, silo.Names.Here, silo.Healing.Tombstone);
        });
        silo.Metrics.OnLoaded(silo.Now - began, reply.Outcome);
        switch (reply.Outcome)
        {
            case StoreOutcome.Written or StoreOutcome.AlreadyWritten:
                var stored = reply.Session!;
                Nonce = stored.Owner;
                Owns(stored.Epoch, stored.PreviousOwner, stored.Version, askedAt);
                Has(stored.EventGrace, stored.Told, stored.Generation);
                var state = SessionState.From(stored, silo.Options.Ttl);
                lifetime.Start(silo.Now, sentAt, state.Ttl, stored.KeptFor, stored.LifetimeLeft);
                await WarnAsync(stored.TakenFrom);
                return new LoadedSession(state, new RequestRing(stored, silo.Now), stored.Epoch);
            case StoreOutcome.Missing:
                throw new SessionDestroyedException(session, SessionEndReason.Missing);
            case StoreOutcome.Tombstone or StoreOutcome.Expired:
                silo.Metrics.OnRefused(reply.Outcome);
                // Whoever ended it may not have come to that, and who ends it again is told that it has ended.
                await WarnAsync(reply.TakenFrom);
                throw new SessionDestroyedException(session, reply.Reason);
            default:
                throw NothingChanged(reply);
        }

        async Task WarnAsync(IReadOnlyList<string> names)
        {
            if (!await silo.WarnAsync(storage, handle, names, patience, this))
            {
                throw SessionUnavailableException.NotApplied(session, "the store is out of reach.");
            }
        }
    }

    /// <summary>Writes what a batch of writes changed, as one flush on top of a state.</summary>
    /// <param name="from">The state.</param>
    /// <param name="batch">The writes, of which at least one changes something.</param>
    /// <param name="onTry">What happens before each try; the first fails no one.</param>
    public async Task<StoreReply> CommitAsync(SessionState from, IReadOnlyList<PendingWrite> batch, Action onTry)
    {
        // Who waits for a write is active, however long that has taken; for what is acknowledged nobody does.
        var isWaitedFor = !batch[0].IsAcknowledged;
        Slide(isWaitedFor);
        var (askedAt, sentAt, flush) = (AskedAt, silo.Now, ToFlush(from, batch));
        if (flush.Delta.Ttl < from.Ttl && !await IndexedAsync(flush.KeepFor!.Value, batch.Max(write => write.PatienceLeft)))
        {
            return new StoreReply(StoreOutcome.Unsent);
        }

        var patience = batch.Max(write => write.PatienceLeft);
        var reply = await AskAsync("flush session", patience, () =>
        {
            onTry();
            return storage.CommitAsync(handle, flush);
        }, batch);
        silo.Metrics.OnFlushed(silo.Now - sentAt, reply.Outcome, flush);
        if (reply.IsDone)
        {
            Confirm(askedAt);
            Slide(isWaitedFor);
            if (flush.KeepFor is { } keepFor)
            {
                lifetime.Kept(sentAt, keepFor);
            }

            if (flush.Secret is not null)
            {
                Events?.Say(handle);
            }
        }

        return reply;
    }

    /// <summary>How long the store has to be told to keep the session; null where it knows of enough activity.</summary>
    public TimeSpan? RenewalDue(SessionState state) => lifetime.KeepFor(silo.Now, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl));

    /// <summary>
    /// Asks the store at which version the session is. Found, Missing, Tombstone, or no answer.
    /// </summary>
    public Task<StoreReply> PeekAsync() =>
        AskAsync("check session", PeekPatience, () => storage.PeekAsync(handle));

    /// <summary>Renews the session in the store. False where the store did not answer.</summary>
    /// <param name="state">What is in memory.</param>
    /// <param name="keepFor">How long it is to be kept.</param>
    /// <param name="reclaim">What to do where another cluster owns it; null if that is none of its business.</param>
    /// <exception cref="SessionDestroyedException">The session has ended.</exception>
    /// <exception cref="SessionUnavailableException">Somebody else owns it, or has changed it.</exception>
    public async Task<bool> TouchAsync(SessionState state, TimeSpan keepFor, Func<Task>? reclaim)
    {
        var (askedAt, sentAt) = (AskedAt, silo.Now);
        var reply = await storage.TouchAsync(handle, Nonce, state.Version, keepFor);
        switch (reply.Outcome)
        {
            case StoreOutcome.Written:
                Confirm(askedAt);
                silo.Metrics.OnTouched();
                lifetime.Kept(sentAt, keepFor);
                return true;
            case StoreOutcome.Missing or StoreOutcome.Tombstone:
                silo.Metrics.OnRefused(reply.Outcome);
                throw new SessionDestroyedException(session, reply.Reason);
            case StoreOutcome.Fenced when reclaim is not null && !IsInOwnCluster(reply.OwnerName):
                await reclaim();
                return true;
            case StoreOutcome.Fenced or StoreOutcome.Behind or StoreOutcome.Ahead:
                throw SessionUnavailableException.TakenOver(session);
            default:
                return false;
        }
    }

    /// <summary>Whether another owner belongs to this cluster, whose directory then knows the way to it.</summary>
    public bool IsInOwnCluster(string? ownerName) => silo.Names.IsInOwnCluster(ownerName);

    private void Slide(bool isActive)
    {
        if (isActive)
        {
            lifetime.Slide(silo.Now);
        }
    }

    private Flush ToFlush(SessionState from, IReadOnlyList<PendingWrite> batch)
    {
        var (delta, secret, user) = PendingWrite.Compose(batch);
        var entries = ImmutableArray.CreateBuilder<RingEntry>(batch.Count);
        foreach (var write in batch)
        {
            if (!write.IsNothingToStore)
            {
                entries.Add(write.Entry);
            }
        }

        var ttl = batch[^1].State.Ttl;
        var interval = silo.Options.TouchIntervalOf(ttl);
        return new Flush
        {
            Owner = Nonce,
            FromVersion = from.Version,
            Entries = entries.DrainToImmutable(),
            Delta = delta,
            Secret = secret,
            User = user,
            KeepFor = delta.Ttl is null ? lifetime.KeepFor(silo.Now, ttl, interval) : lifetime.KeepForAnyway(silo.Now, ttl, interval),
        };
    }

    // No property changes in these steps, so even without an answer the caller's own change was certainly not made.
    private SessionUnavailableException NothingChanged(StoreReply reply)
    {
        GrainLog.NotWritten(silo.Logger, session, 0, reply.Error);
        return SessionUnavailableException.NotApplied(session, "the store is out of reach.");
    }
}

/// <summary>A session as it was when this activation came to own it.</summary>
/// <param name="State">What it holds.</param>
/// <param name="Ring">What was done to it last.</param>
/// <param name="Epoch">How many owners it has had: orders lease tokens.</param>
internal sealed record LoadedSession(SessionState State, RequestRing Ring, long Epoch);
