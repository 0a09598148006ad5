using System.Collections.Immutable;
using CsCheck;

namespace SessionActors;

public sealed class RequestRingTests
{
    [Fact]
    public void The_ring_answers_for_the_last_128_requests_and_for_no_other() =>
        Gen.Int[0, 400].Sample(count =>
        {
            var ring = new RequestRing();
            for (var version = 1; version <= count; version++)
            {
                ring.Add(version, Entry(version), AppliedAt(version));
            }

            return Enumerable.Range(1, count + 1).All(v => ring.Find(IdOf(v)) == Expected(v, count));
        });

    [Fact]
    public void A_ring_read_from_the_store_goes_on_where_it_ended() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 300]).Sample((before, after) =>
        {
            var stored = Enumerable.Range(1, before).Where(v => v > before - ISessionStorage.RingSize)
                .ToImmutableDictionary(v => (long)v, v => Slot(v, AppliedAt(before)));
            var ring = new RequestRing(Session(before, stored), AppliedAt(before));
            for (var version = before + 1; version <= before + after; version++)
            {
                ring.Add(version, Entry(version), AppliedAt(version));
            }

            return Enumerable.Range(1, before + after + 1).All(v => ring.Find(IdOf(v)) == Expected(v, before + after));
        });

    [Fact]
    public void The_ring_never_says_that_it_reaches_back_to_an_id_that_it_has_lost() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 300]).Sample((before, after) =>
        {
            var stored = Enumerable.Range(1, before).Where(v => v > before - ISessionStorage.RingSize)
                .ToImmutableDictionary(v => (long)v, v => Slot(v, AppliedAt(before)));
            var ring = new RequestRing(Session(before, stored), AppliedAt(before));
            for (var version = before + 1; version <= before + after; version++)
            {
                ring.Add(version, Entry(version), AppliedAt(version));
            }

            var lost = Enumerable.Range(1, before + after).Where(v => ring.Find(IdOf(v)) is null).ToArray();
            return lost.Length == 0
                ? !ring.MayHaveForgotten(TimeSpan.Zero)
                : ring.MayHaveForgotten(AppliedAt(lost[^1])) && !ring.MayHaveForgotten(AppliedAt(before + after));
        });

    [Fact]
    public void A_full_ring_read_from_the_store_still_knows_what_was_sent_before_it_was_read()
    {
        const int last = 2 * ISessionStorage.RingSize;
        var readAt = AppliedAt(last);
        var stored = Enumerable.Range(last - ISessionStorage.RingSize + 1, ISessionStorage.RingSize)
            .ToImmutableDictionary(v => (long)v, v => Slot(v, readAt));
        var ring = new RequestRing(Session(last, stored), readAt);

        ring.Add(last + 1, Entry(last + 1), AppliedAt(last + 1));

        Assert.False(ring.MayHaveForgotten(AppliedAt(last - 1)));
        Assert.True(ring.MayHaveForgotten(AppliedAt(last - ISessionStorage.RingSize + 1)));
        Assert.False(ring.MayHaveForgotten(AppliedAt(last - ISessionStorage.RingSize + 2)));
    }

    private static TimeSpan AppliedAt(int version) => TimeSpan.FromSeconds(version);

    private static RequestId IdOf(int version) => new(0, (ulong)version);

    private static RingEntry Entry(int version) => new(IdOf(version), $"result {version}");

    private static RingSlot Slot(int version, TimeSpan now) => new(version, Entry(version), now - AppliedAt(version));

    private static Applied? Expected(int version, int last) =>
        version <= last && version > last - ISessionStorage.RingSize ? new Applied(version, $"result {version}") : null;

    private static StoredSession Session(int version, ImmutableDictionary<long, RingSlot> ring) => new()
    {
        Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty,
        Version = version,
        Epoch = 1,
        Owner = OwnerNonce.New(),
        OwnTtl = null,
        LifetimeLeft = null,
        KeptFor = TimeSpan.FromMinutes(1),
        Secret = null,
        Generation = 0,
        Ring = ring,
        PreviousOwner = null,
        PreviousOwnerName = null,
        Released = false,
    };
}
