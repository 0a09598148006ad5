namespace SessionActors;

/// <summary>Keys take turns so that a cookie which is used now and then is never under one that nobody knows.</summary>
public sealed class CookieKeyTurnsTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(90)]
    public void A_key_signs_only_after_it_was_in_the_ring_for_long(int lifetimeDays)
    {
        var lifetime = TimeSpan.FromDays(lifetimeDays);
        var published = new Dictionary<uint, DateTimeOffset>();
        var turns = 0;
        var ring = NewRing();
        for (var now = Start; now < Start + 4 * lifetime; now += TimeSpan.FromHours(1))
        {
            var before = ring;
            ring = CookieKeyTurns.At(ring, now, lifetime);
            foreach (var key in ring.Keys)
            {
                published.TryAdd(key.Id, now);
            }

            if (ring.Keys[0].Id != before.Keys[0].Id)
            {
                turns++;
                Assert.True(now - published[ring.Keys[0].Id] >= TimeSpan.FromHours(6));
                Assert.Equal(before.Keys[0].Id, ring.Keys[1].Id);
                Assert.Equal(now, ring.Keys[1].SignedUntil);
            }
        }

        Assert.InRange(turns, 3, 4);
    }

    [Fact]
    public void A_key_verifies_for_400_days_after_it_last_signed_and_no_longer()
    {
        var ring = NewRing();
        var first = ring.Keys[0].Id;
        var stopped = DateTimeOffset.MaxValue;
        for (var now = Start; now < Start + TimeSpan.FromDays(600); now += TimeSpan.FromHours(1))
        {
            ring = CookieKeyTurns.At(ring, now, Lifetime);
            stopped = ring.Keys.FirstOrDefault(key => key.Id == first)?.SignedUntil ?? stopped;
            var isOver = stopped < now && now - stopped >= TimeSpan.FromDays(400);
            Assert.Equal(!isOver, ring.Keys.Any(key => key.Id == first));
        }

        Assert.InRange(stopped - Start, Lifetime, Lifetime + TimeSpan.FromHours(1));
        Assert.True(ring.Keys.Length <= 8, $"{ring.Keys.Length} keys");
    }

    [Fact]
    public void A_ring_that_is_as_it_should_be_stays_the_same()
    {
        var ring = NewRing();
        Assert.Same(ring, CookieKeyTurns.At(ring, Start + TimeSpan.FromDays(88), Lifetime));
    }

    [Fact]
    public void One_that_slept_for_years_goes_on_step_by_step()
    {
        var late = Start + TimeSpan.FromDays(3650);
        var ring = CookieKeyTurns.At(NewRing(), late, Lifetime);
        Assert.Equal(2, ring.Keys.Length);
        Assert.Equal(Start, ring.Keys[0].SignsFrom);

        var next = CookieKeyTurns.At(ring, late + TimeSpan.FromDays(1), Lifetime);
        Assert.Equal(ring.Keys[1].Id, next.Keys[0].Id);
        Assert.Equal(ring.Keys[0].Id, next.Keys[1].Id);
    }

    private static CookieKeyRing NewRing() => new() { Keys = [CookieKeyTurns.NewKey(Start)] };
}
