using System.Collections.Immutable;

namespace SessionActors;

/// <summary>A whole session as its owner has it in memory, to be written back to a store that has lost it.</summary>
internal sealed record Restoration
{
    /// <summary>Who owned it when the store last said so.</summary>
    public required OwnerNonce Owner { get; init; }

    /// <summary>The owner's name.</summary>
    public required string OwnerName { get; init; }

    /// <summary>
    /// Whom the owner claimed it from, and at which version: the store may have forgotten the claim, and nobody has changed the session
    /// since where it still shows that owner and no higher version. Null: it was claimed from nobody.
    /// </summary>
    public (OwnerNonce Owner, long Version)? ClaimedFrom { get; init; }

    /// <summary>How many owners it has had.</summary>
    public required long Epoch { get; init; }

    /// <summary>What it holds.</summary>
    public required SessionState State { get; init; }

    /// <summary>What was done to it last: all that the store had.</summary>
    public required ImmutableArray<RingSlot> Ring { get; init; }

    /// <summary>What is left until its absolute end; null without one.</summary>
    public required TimeSpan? LifetimeLeft { get; init; }

    /// <summary>The <see cref="Creation.EventGrace"/> that it was created with.</summary>
    public TimeSpan? EventGrace { get; init; }

    /// <summary>How many of its starts and rotations have been told.</summary>
    public int Told { get; init; }

    /// <summary>How long the store is to keep it from now on.</summary>
    public required TimeSpan KeepFor { get; init; }

    /// <summary>When this was first tried, by <see cref="TimeProvider.GetTimestamp"/> of the store's clock.</summary>
    public required long StartedAt { get; init; }
}

/// <summary>One entry of the ring: the version that it led to, and how long ago.</summary>
internal readonly record struct RingSlot(long Version, RingEntry Entry, TimeSpan Age);
