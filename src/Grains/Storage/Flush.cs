using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>
/// One write of one or more deltas. It never changes once it was sent: sent again, it is the same flush.
/// </summary>
internal sealed record Flush
{
    /// <summary>Under whose ownership it is written.</summary>
    public required OwnerNonce Owner { get; init; }

    /// <summary>The version that it is applied to; 0 for a create. It leads to this plus the number of <see cref="Entries"/>.</summary>
    public required long FromVersion { get; init; }

    /// <summary>One entry for each delta, in order: 1 to <see cref="MaxEntries"/>.</summary>
    public required ImmutableArray<RingEntry> Entries { get; init; }

    /// <summary>All deltas as one. Its Ttl, where there is one, becomes the session's own.</summary>
    public required SessionDelta Delta { get; init; }

    /// <summary>The new secret, where one of the deltas was a rotation.</summary>
    public RotatedSecret? Secret { get; init; }

    /// <summary>Whose session it is from now on, where one of the deltas bound it.</summary>
    public BoundUser? User { get; init; }

    /// <summary>How long the session is kept from now on; null leaves it as it is. A create has it always.</summary>
    public TimeSpan? KeepFor { get; init; }

    /// <summary>Half the ring, so that a flush that is sent again always finds its first id.</summary>
    public const int MaxEntries = ISessionStorage.RingSize / 2;

    public RequestId Id => Entries[0].Id;

    public long ToVersion => FromVersion + Entries.Length;

    /// <summary>How many bytes of names and values it has.</summary>
    public long CountBytes() =>
        Delta.Sets.Sum(set => (long)Encoding.UTF8.GetByteCount(set.Key) + set.Value.Length)
        + Delta.Removes.Sum(name => (long)Encoding.UTF8.GetByteCount(name));
}

/// <summary>The id of a mutating call and the result it was answered with (empty for a commit, whose result is its version).</summary>
internal readonly record struct RingEntry(RequestId Id, string Result);

/// <summary>A secret's hash and its generation.</summary>
internal sealed record RotatedSecret(SecretHash Hash, int Generation);

/// <summary>What a create needs besides its first flush.</summary>
internal sealed record Creation
{
    /// <summary>The name of the owner, for others to see.</summary>
    public required string OwnerName { get; init; }

    /// <summary>The hash of the cookie's secret, generation 1; null for a session that no cookie opens.</summary>
    public required SecretHash? Secret { get; init; }

    /// <summary>How long the session lives at most, from now; null without an end.</summary>
    public required TimeSpan? AbsoluteLifetime { get; init; }

    /// <summary>
    /// How much longer than it lives the session is stored, so that its end can be told of; null where its events are not told: see
    /// <see cref="IEventStorage"/>.
    /// </summary>
    public TimeSpan? EventGrace { get; init; }

    /// <summary>When the create was first tried, by <see cref="TimeProvider.GetTimestamp"/> of the store's clock.</summary>
    public required long StartedAt { get; init; }
}

/// <summary>
/// A random value drawn by each activation that wants to own a session; 22 characters of base64url. A claim gives it the epoch that began
/// with that claim: one that comes in again, after others, makes another owner.
/// </summary>
internal readonly record struct OwnerNonce(string Value)
{
    public static OwnerNonce New() => new(RequestId.New().ToString());

    /// <summary>What a claim that was sent with this one makes the owner.</summary>
    public OwnerNonce In(long epoch) => new(string.Create(CultureInfo.InvariantCulture, $"{Value}.{epoch}"));

    /// <summary>Whether a claim with that one made this the owner, in whichever epoch.</summary>
    public bool IsOf(OwnerNonce claim) =>
        Value.StartsWith(claim.Value, StringComparison.Ordinal) && (Value.Length == claim.Value.Length || Value[claim.Value.Length] == '.');

    public override string ToString() => Value;
}
