using System.Collections.Immutable;

namespace SessionActors;

/// <content>What it takes to write the session back to a store that has lost it.</content>
internal sealed partial class SessionOwner
{
    private (OwnerNonce Owner, long Version)? _claimedFrom;
    private long _epoch;

    /// <summary>
    /// When the store was last asked whether the session is this activation's, as it has it in memory, and said so; on the clock of
    /// <see cref="StoreWatch"/>.
    /// </summary>
    public long ConfirmedAt { get; private set; } = long.MinValue;

    /// <summary>The time for <see cref="Confirm"/>, before the store is asked.</summary>
    public long AskedAt => silo.Healing.Store.Now;

    /// <summary>The store has said so, in answer to a question that was sent at this time.</summary>
    public void Confirm(long askedAt) => ConfirmedAt = Math.Max(ConfirmedAt, askedAt);

    /// <summary>Writes the session back, where the store has lost it and nobody else can have it.</summary>
    /// <param name="state">What the old store had confirmed last.</param>
    /// <param name="ring">What was done to it last.</param>
    public async Task<StoreReply> WriteBackAsync(SessionState state, ImmutableArray<RingSlot> ring)
    {
        var askedAt = AskedAt;
        var sentAt = silo.Now;
        var restoration = new Restoration
        {
            Owner = Nonce,
            OwnerName = silo.Names.Here,
            ClaimedFrom = _claimedFrom,
            Epoch = _epoch,
            State = state,
            Ring = ring,
            LifetimeLeft = lifetime.LifetimeLeft(sentAt),
            KeepFor = lifetime.KeepForAnyway(sentAt, state.Ttl, silo.Options.TouchIntervalOf(state.Ttl)),
            EventGrace = _eventGrace,
            Told = _told,
            StartedAt = silo.Time.GetTimestamp(),
        };
        if (!await IndexedAsync(restoration.KeepFor, SessionRequest.DefaultPatience))
        {
            return new StoreReply(StoreOutcome.Unsent);
        }

        var reply = await AskAsync(
            "restore session", SessionRequest.DefaultPatience, () => storage.RestoreAsync(handle, restoration));
        if (!await silo.WarnAsync(storage, handle, reply.TakenFrom, SessionRequest.DefaultPatience, this))
        {
            // Who had it before the claim that the store has forgotten would go on with it. The next try finds the names again.
            return new StoreReply(StoreOutcome.Unsent);
        }

        if (reply.Outcome is StoreOutcome.Written or StoreOutcome.AlreadyWritten or StoreOutcome.Ahead)
        {
            Confirm(askedAt);
        }

        if (reply.Outcome == StoreOutcome.Written)
        {
            lifetime.Kept(sentAt, restoration.KeepFor);
            Has(_eventGrace, _told, state.Generation);
        }

        return reply;
    }

    private void Owns(long epoch, OwnerNonce? from, long version, long askedAt)
    {
        _epoch = epoch;
        _claimedFrom = from is { } owner ? (owner, version) : null;
        Confirm(askedAt);
    }
}
