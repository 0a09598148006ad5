using System.Collections.Immutable;
using System.Text;
using CsCheck;

namespace SessionActors;

using Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>;

public sealed class SessionStateTests
{
    private const string Session = "01234567";

    private static readonly SessionActorsOptions Limits = new();
    private static readonly string[] Names = ["a", "b", "ü", "", "@x"];
    private static readonly Gen<string> Name = Gen.Int[0, 4].Select(i => Names[i]);
    private static readonly Gen<byte[]> Value = Gen.Byte[0, 1].Array[0, 2];
    private static readonly Gen<TimeSpan> Ttl = Gen.Int[1, 3].Select(m => TimeSpan.FromMinutes(m));

    private static readonly Gen<SessionDelta> Delta = Gen.OneOf(
            Gen.Select(Name, Value, (name, value) => (Func<SessionDelta, SessionDelta>)(delta => delta.Set(name, value))),
            Name.Select(name => (Func<SessionDelta, SessionDelta>)(delta => delta.Remove(name))),
            Ttl.Select(ttl => (Func<SessionDelta, SessionDelta>)(delta => delta.WithTtl(ttl))),
            Gen.Const((Func<SessionDelta, SessionDelta>)(delta => delta.Clear())))
        .List[0, 6]
        .Select(steps => steps.Aggregate(SessionDelta.Empty, (delta, step) => step(delta)));

    private static readonly Gen<SessionState> State = Delta.List[0, 4].Select(deltas => deltas.Aggregate(
        SessionState.Empty(TimeSpan.FromMinutes(20), secret: null), (state, delta) => state.Apply(new Change(delta), Limits, Session)));

    [Fact]
    public void The_effective_part_of_a_delta_does_what_the_delta_does() =>
        Gen.Select(State, Delta).Sample((state, delta) =>
        {
            var after = After(state, delta);
            return Same(after.Properties, delta.ApplyTo(state.Properties)) && after.OwnTtl == (delta.Ttl ?? state.OwnTtl);
        });

    [Fact]
    public void A_delta_has_an_effective_part_exactly_when_it_changes_something() =>
        Gen.Select(State, Delta).Sample((state, delta) =>
        {
            var changes = !Same(delta.ApplyTo(state.Properties), state.Properties) || (delta.Ttl ?? state.OwnTtl) != state.OwnTtl;
            return state.Effective(delta).IsEmpty == !changes;
        });

    [Fact]
    public void A_delta_that_was_applied_changes_nothing_any_more() =>
        Gen.Select(State, Delta).Sample((state, delta) => After(state, delta).Effective(delta).IsEmpty);

    [Fact]
    public void Deltas_whose_names_are_compared_otherwise_compose_to_what_they_do_one_after_the_other()
    {
        var state = After(SessionState.Empty(TimeSpan.FromMinutes(20), secret: null), SessionDelta.Empty.Set("a", "1"u8));
        var first = state.Effective(new SessionDelta { Removes = ImmutableHashSet.Create(StringComparer.OrdinalIgnoreCase, "a") });
        var between = state.Apply(new Change(first), Limits, Session);
        var second = between.Effective(SessionDelta.Empty.Set("A", "2"u8));

        Assert.Equal(
            between.Apply(new Change(second), Limits, Session).Properties.Keys, first.Then(second).ApplyTo(state.Properties).Keys);
    }

    [Fact]
    public void Bytes_are_what_counting_anew_gives() =>
        Gen.Select(State, Delta).Sample((state, delta) =>
        {
            var after = After(state, delta);
            return after.Bytes == after.Properties.Sum(p => Encoding.UTF8.GetByteCount(p.Key) + p.Value.Length);
        });

    [Fact]
    public void Every_change_counts_the_version_up_and_only_a_new_secret_the_generation()
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), SecretHash.Of([1]));

        var changed = state.Apply(new Change(SessionDelta.Empty.Set("a", [1])), Limits, Session);
        var rotated = changed.Apply(new Change(SessionDelta.Empty, SecretHash.Of([2])), Limits, Session);

        Assert.Equal((0, 1), (state.Version, state.Generation));
        Assert.Equal((1, 1), (changed.Version, changed.Generation));
        Assert.Equal((2, 2), (rotated.Version, rotated.Generation));
        Assert.True(rotated.Secret!.Value.Matches(SecretHash.Of([2])));
    }

    [Fact]
    public void A_change_is_refused_exactly_when_it_crosses_a_limit_and_the_session_grows_by_it() =>
        Gen.Select(State, Delta, Gen.Int[1, 8], Gen.Int[0, 3], Gen.Int[1, 2]).Sample((state, delta, mostBytes, most, largest) =>
        {
            var limits = new SessionActorsOptions { MaxSessionBytes = mostBytes, MaxProperties = most, MaxPropertyBytes = largest };
            var effective = state.Effective(delta);
            var after = effective.ApplyTo(state.Properties);
            var bytes = after.Sum(p => Encoding.UTF8.GetByteCount(p.Key) + p.Value.Length);
            var crosses = effective.Sets.Any(set => set.Value.Length > largest)
                || (after.Count > most && after.Count > state.Properties.Count)
                || (bytes > mostBytes && bytes > state.Bytes);
            return IsRefused(state, effective, limits) == crosses;
        });

    [Fact]
    public void A_value_at_the_limit_is_taken_and_one_byte_more_is_refused_by_name()
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null);
        var limits = new SessionActorsOptions { MaxPropertyBytes = 3 };

        state.Apply(new Change(SessionDelta.Empty.Set("a", [1, 2, 3])), limits, Session);
        var refused = Assert.Throws<SessionLimitExceededException>(
            () => state.Apply(new Change(SessionDelta.Empty.Set("a", [1, 2, 3, 4])), limits, Session));

        Assert.Equal(("MaxPropertyBytes", 3, 4), (refused.Limit, refused.Allowed, refused.Actual));
        Assert.Equal(("a", Session), (refused.Property, refused.Session));
    }

    [Fact]
    public void A_name_may_have_65535_bytes_of_UTF8_and_no_more()
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null);
        var longest = new string('ü', PropertyName.MaxBytes / 2) + "a";

        state.Apply(new Change(SessionDelta.Empty.Set(longest, [])), Limits, Session);

        Assert.Throws<SessionLimitExceededException>(
            () => state.Apply(new Change(SessionDelta.Empty.Set(longest + "a", [])), Limits, Session));
    }

    [Fact]
    public void A_session_from_before_the_limits_were_lowered_may_shrink()
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null)
            .Apply(new Change(SessionDelta.Empty.Set("a", [1, 2, 3]).Set("b", [1]).Set("c", [1])), Limits, Session);
        var limits = new SessionActorsOptions { MaxSessionBytes = 2, MaxProperties = 1 };

        var smaller = state.Apply(new Change(SessionDelta.Empty.Remove("a")), limits, Session);

        Assert.Equal(4, smaller.Bytes);
        Assert.Throws<SessionLimitExceededException>(() => smaller.Apply(new Change(SessionDelta.Empty.Set("b", [1, 2])), limits, Session));
    }

    private static SessionState After(SessionState state, SessionDelta delta) =>
        state.Apply(new Change(state.Effective(delta)), Limits, Session);

    private static bool IsRefused(SessionState state, SessionDelta delta, SessionActorsOptions limits)
    {
        try
        {
            state.Apply(new Change(delta), limits, Session);
            return false;
        }
        catch (SessionLimitExceededException)
        {
            return true;
        }
    }

    private static bool Same(Properties one, Properties other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out var value) && value.Span.SequenceEqual(p.Value.Span));

    [Fact]
    public void A_delta_that_was_put_together_by_hand_means_what_it_says()
    {
        var options = new SessionActorsOptions();
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null);
        state = state.Apply(new Change(SessionDelta.Empty.Set("a", new byte[1000]).Set("b", "y"u8)), options, "session");
        var sets = SessionDelta.Empty.Set("a", "x"u8).Sets;

        var cleared = state.Apply(new Change(state.Effective(new SessionDelta { Clears = true, Removes = ["a"] })), options, "session");
        var set = state.Apply(new Change(state.Effective(new SessionDelta { Sets = sets, Removes = ["a"] })), options, "session");
        var cased = state.Apply(
            new Change(state.Effective(new SessionDelta { Clears = true, Sets = sets.WithComparers(StringComparer.OrdinalIgnoreCase) })),
            options,
            "session");

        Assert.Equal((0, 0), (cleared.Bytes, cleared.Properties.Count));
        Assert.Equal((4, 2), (set.Bytes, set.Properties.Count));
        Assert.False(cased.Properties.ContainsKey("A"));
    }
}
