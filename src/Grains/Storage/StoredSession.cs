using System.Collections.Immutable;

namespace SessionActors;

/// <summary>A whole session as a claim reads it.</summary>
internal sealed record StoredSession
{
    public required ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties { get; init; }

    public required long Version { get; init; }

    /// <summary>How often the session was claimed or created; orders lease tokens.</summary>
    public required long Epoch { get; init; }

    /// <summary>Who owns it now: the claim's nonce in its epoch.</summary>
    public required OwnerNonce Owner { get; init; }

    /// <summary>The session's own idle time-out; null where the options' applies.</summary>
    public required TimeSpan? OwnTtl { get; init; }

    /// <summary>What is left until its absolute end; null without one.</summary>
    public required TimeSpan? LifetimeLeft { get; init; }

    /// <summary>What is left until its time is over if nobody renews it.</summary>
    public required TimeSpan KeptFor { get; init; }

    public required SecretHash? Secret { get; init; }

    /// <summary>0 where there is no secret.</summary>
    public required int Generation { get; init; }

    /// <summary>Whose it is; null while nobody has signed in.</summary>
    public BoundUser? User { get; init; }

    /// <summary>The <see cref="Creation.EventGrace"/> that it was created with.</summary>
    public TimeSpan? EventGrace { get; init; }

    /// <summary>How many of its starts and rotations have been told.</summary>
    public int Told { get; init; }

    /// <summary>Up to <see cref="ISessionStorage.RingSize"/> slots, by the version that each led to.</summary>
    public required ImmutableDictionary<long, RingSlot> Ring { get; init; }

    /// <summary>
    /// How far back the ring reaches: every id that was applied within this time is in it. Null: every id that ever was.
    /// </summary>
    public TimeSpan? RingReach => Version > ISessionStorage.RingSize ? Ring.Values.Max(slot => slot.Age) : null;

    /// <summary>Who owned it before; null with <see cref="StoreOutcome.AlreadyWritten"/>.</summary>
    public required string? PreviousOwnerName { get; init; }

    /// <summary>The nonce of who owned it before; null with <see cref="StoreOutcome.AlreadyWritten"/>.</summary>
    public required OwnerNonce? PreviousOwner { get; init; }

    /// <summary>Whether the previous owner handed it over with nothing left in its memory.</summary>
    public required bool Released { get; init; }

    /// <summary>
    /// The names of those who had it since the last hand-over and may not know that they have it no more, <see cref="MostTakenFrom"/> at
    /// most and the last one first. The same with <see cref="StoreOutcome.AlreadyWritten"/>. None in a store of a single silo.
    /// </summary>
    public ImmutableArray<string> TakenFrom { get; init; } = [];

    /// <summary>More of them would all have died before they could warn the one before them.</summary>
    public const int MostTakenFrom = 4;
}
