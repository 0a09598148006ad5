using CsCheck;

namespace SessionActors;

public sealed class SessionLifetimeTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Touch = TimeSpan.FromMinutes(1);

    private enum Kind
    {
        Read,
        PollWithoutSliding,
        ChangeTtl,
        WriteAfterReload,
    }

    // The gaps are such that some visitors come just before the session ends, some just after, and most within the touch interval.
    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Enum<Kind>(), Gen.OneOf(Gen.Int[0, 90], Gen.Int[1190, 1215]), Gen.Int[0, 5], Gen.Int[1, 40],
        (kind, gap, delay, minutes) =>
            new Step(kind, TimeSpan.FromSeconds(gap), TimeSpan.FromSeconds(delay), TimeSpan.FromMinutes(minutes)));

    private static readonly Gen<TimeSpan?> Lifetime = Gen.OneOf(
        Gen.Const((TimeSpan?)null), Gen.Int[1200, 7200].Select(s => (TimeSpan?)TimeSpan.FromSeconds(s)));

    [Fact]
    public void The_store_never_drops_a_session_before_its_idle_time_out_or_its_absolute_end() =>
        Gen.Select(AnyStep.List[1, 60], Lifetime).Sample((steps, lifetime) =>
        {
            var session = new Simulation(lifetime);
            return steps.All(step => session.Take(step) is false || session.StoreDropsAt >= session.MayEndAt);
        });

    [Fact]
    public void The_grain_ends_a_session_exactly_at_its_idle_time_out_or_its_absolute_end() =>
        Gen.Select(AnyStep.List[1, 60], Lifetime).Sample((steps, lifetime) =>
        {
            var session = new Simulation(lifetime);
            return steps.All(step =>
            {
                var end = session.MayEndAt;
                return session.Take(step) == session.Now < end;
            });
        });

    [Fact]
    public void However_many_read_the_store_is_told_once_per_touch_interval_at_most() =>
        Gen.Select(Gen.Int[0, 90].List[1, 200], Lifetime).Sample((gaps, lifetime) =>
        {
            var session = new Simulation(lifetime);
            foreach (var gap in gaps)
            {
                session.Take(new Step(Kind.Read, TimeSpan.FromSeconds(gap), TimeSpan.Zero, Ttl));
            }

            return session.ToldAt.Zip(session.ToldAt.Skip(1)).All(pair => pair.Second - pair.First >= Touch);
        });

    [Fact]
    public void A_session_that_was_claimed_after_a_crash_lives_on_for_its_idle_time_out_and_a_touch_interval_at_most() =>
        Gen.Select(Gen.Int[0, 1259], Lifetime).Sample((idle, lifetime) =>
        {
            var idleFor = TimeSpan.FromSeconds(idle);
            var keptFor = Ttl + Touch - idleFor;
            var left = lifetime - idleFor;
            if (left < keptFor)
            {
                keptFor = left.Value;
            }

            if (keptFor <= TimeSpan.Zero)
            {
                return true;
            }

            var claimed = new SessionLifetime();
            claimed.Start(idleFor, idleFor, Ttl, keptFor, left);
            var remains = claimed.Left(idleFor, Ttl);
            return remains >= Least(Ttl - idleFor, left) && remains <= Least(Ttl + Touch - idleFor, left);
        });

    [Fact]
    public void Idle_and_lifetime_are_told_apart()
    {
        var session = new SessionLifetime();
        session.Start(TimeSpan.Zero, TimeSpan.Zero, Ttl, Ttl, TimeSpan.FromMinutes(30));

        Assert.Null(session.EndedBy(Ttl - TimeSpan.FromTicks(1), Ttl, isWritten: false));
        Assert.Equal(SessionEndReason.Idle, session.EndedBy(Ttl, Ttl, isWritten: false));

        session.Slide(Ttl - TimeSpan.FromTicks(1));
        Assert.Null(session.EndedBy(TimeSpan.FromMinutes(30) - TimeSpan.FromTicks(1), Ttl, isWritten: false));
        Assert.Equal(SessionEndReason.Lifetime, session.EndedBy(TimeSpan.FromMinutes(30), Ttl, isWritten: false));
    }

    [Fact]
    public void A_session_that_is_being_written_is_not_idle_but_its_lifetime_ends()
    {
        var session = new SessionLifetime();
        session.Start(TimeSpan.Zero, TimeSpan.Zero, Ttl, Ttl, TimeSpan.FromMinutes(30));

        Assert.Null(session.EndedBy(Ttl + Ttl / 4, Ttl, isWritten: true));
        Assert.Equal(SessionEndReason.Lifetime, session.EndedBy(TimeSpan.FromMinutes(30), Ttl, isWritten: true));
    }

    [Fact]
    public void What_a_claim_says_counts_from_when_it_was_asked_for_the_store_and_from_now_for_the_visitor()
    {
        var (asked, now) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12));
        var session = new SessionLifetime();
        session.Start(now, asked, Ttl, Ttl, lifetimeLeft: null);

        Assert.Equal(Ttl, session.Left(now, Ttl));
        Assert.NotNull(session.KeepFor(now, Ttl, Touch));
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan? other) => other < one ? other.Value : one;

    /// <summary>Something that happens to the session a while after the step before; the store hears of it with a delay.</summary>
    private sealed record Step(Kind Kind, TimeSpan Gap, TimeSpan Delay, TimeSpan NewTtl);

    /// <summary>A grain that uses the lifetime as the real one does, and a store that believes what it is told.</summary>
    private sealed class Simulation
    {
        private readonly SessionLifetime _lifetime = new();
        private readonly TimeSpan? _endsAt;
        private TimeSpan _activeAt;
        private TimeSpan _ttl = Ttl;

        public Simulation(TimeSpan? lifetime)
        {
            _endsAt = lifetime;
            _lifetime.Start(TimeSpan.Zero, TimeSpan.Zero, Ttl, Ttl, lifetime);
            Tell(_lifetime.KeepForAnyway(TimeSpan.Zero, Ttl, TouchOf(Ttl)), TimeSpan.Zero);
        }

        public TimeSpan Now { get; private set; }

        public TimeSpan StoreDropsAt { get; private set; }

        public TimeSpan MayEndAt => Least(_activeAt + _ttl, _endsAt);

        public List<TimeSpan> ToldAt { get; } = [];

        /// <summary>False where the session has ended.</summary>
        public bool Take(Step step)
        {
            Now += step.Gap;
            if (_lifetime.EndedBy(Now, _ttl, isWritten: false) is not null)
            {
                return false;
            }

            if (step.Kind is Kind.WriteAfterReload)
            {
                _lifetime.Start(Now, Now, _ttl, StoreDropsAt - Now, _endsAt - Now);
            }

            if (step.Kind is not Kind.PollWithoutSliding)
            {
                _activeAt = Now;
                _lifetime.Slide(Now);
            }

            if (step.Kind is Kind.ChangeTtl)
            {
                _ttl = step.NewTtl;
                Tell(_lifetime.KeepForAnyway(Now, _ttl, TouchOf(_ttl)), step.Delay);
            }
            else if (step.Kind is not Kind.PollWithoutSliding && _lifetime.KeepFor(Now, _ttl, TouchOf(_ttl)) is { } keepFor)
            {
                Tell(keepFor, step.Delay);
            }

            return true;
        }

        private static TimeSpan TouchOf(TimeSpan ttl) => new SessionActorsOptions().TouchIntervalOf(ttl);

        private void Tell(TimeSpan keepFor, TimeSpan delay)
        {
            _lifetime.Kept(Now, keepFor);
            StoreDropsAt = Now + delay + keepFor;
            ToldAt.Add(Now);
        }
    }
}
