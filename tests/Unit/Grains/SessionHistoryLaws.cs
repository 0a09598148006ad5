using CsCheck;

namespace SessionActors;

public sealed class SessionHistoryLaws
{
    private const string Session = "01234567";

    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly RequestId[] Callers = [new(1, 1), new(2, 2)];
    private static readonly SessionActorsOptions Limits = new();

    private static readonly Gen<SessionDelta> Delta = Gen.Frequency(
            (5, Gen.Select(Gen.Int[0, 2], Gen.Byte[0, 1], (name, value) =>
                (Func<SessionDelta, SessionDelta>)(delta => delta.Set(Names[name], [value])))),
            (3, Gen.Int[0, 2].Select(name => (Func<SessionDelta, SessionDelta>)(delta => delta.Remove(Names[name])))),
            (1, Gen.Const((Func<SessionDelta, SessionDelta>)(delta => delta.Clear()))),
            (1, Gen.Const((Func<SessionDelta, SessionDelta>)(delta => delta.WithTtl(TimeSpan.FromMinutes(delta.Sets.Count + 1))))))
        .List[1, 3]
        .Select(steps => steps.Aggregate(SessionDelta.Empty, (delta, step) => step(delta)));

    private static readonly Gen<(SessionDelta Delta, int Caller)[]> Past = Gen.Select(Delta, Gen.Int[0, 1]).Array[0, 8];

    [Fact]
    public void In_conflict_is_exactly_what_somebody_else_changed_last_after_the_base_version() =>
        Gen.Select(Past, Delta, Gen.Int[0, 9]).Sample((past, delta, back) =>
        {
            var state = Start();
            var changed = new Dictionary<string, (long Version, int By)>();
            foreach (var (step, caller) in past)
            {
                var before = state;
                state = Commit(state, step, Callers[caller]);
                foreach (var name in Names.Where(name => Value(before, name) != Value(state, name)))
                {
                    changed[name] = (state.Version, caller);
                }
            }

            var mine = state.Effective(delta.BasedOn(Math.Max(1, state.Version - back)));
            var expected = changed
                .Where(change => change.Value.By == 1 && change.Value.Version > mine.BaseVersion)
                .Where(change => mine.Clears || mine.Sets.ContainsKey(change.Key) || mine.Removes.Contains(change.Key))
                .Select(change => change.Key);
            var actual = state.History.ConflictsOf(mine, state, Callers[0]);

            return expected.Order(StringComparer.Ordinal).SequenceEqual(actual.Order(StringComparer.Ordinal));
        });

    [Fact]
    public void What_is_as_the_delta_would_make_it_is_no_conflict() =>
        Gen.Select(Past, Delta).Sample((past, delta) =>
        {
            var state = past.Aggregate(Start(), (state, step) => Commit(state, step.Delta, Callers[1]));

            Commit(state, delta, Callers[1]).RefuseConflict(delta.BasedOn(1), Callers[0], Session);
        });

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void A_base_version_that_the_history_does_not_reach_makes_everything_a_conflict(long version)
    {
        var state = Commit(Start(), SessionDelta.Empty.Set("a", [9]), Callers[1]);

        var refused = Assert.Throws<SessionConflictException>(() => state.RefuseConflict(
            SessionDelta.Empty.Set("b", [1]).Set("first", [1]).Remove("c").BasedOn(version), Callers[0], Session));
        var cleared = Assert.Throws<SessionConflictException>(() => state.RefuseConflict(
            SessionDelta.Empty.Clear().Set("b", [1]).BasedOn(version), Callers[0], Session));

        // Not c, which is not there: its removal changes nothing.
        Assert.Equal(["b", "first"], refused.Properties);
        Assert.Equal(["a", "b"], cleared.Properties);
        Assert.Contains("'b', 'first'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_that_grows_too_long_begins_anew()
    {
        var limits = new SessionActorsOptions { MaxProperties = 2 };
        var state = Start();
        for (var i = 0; i < 4; i++)
        {
            state = Apply(state, SessionDelta.Empty.Set($"p{i}", [1]), Callers[1], limits);
            state = Apply(state, SessionDelta.Empty.Remove($"p{i}"), Callers[1], limits);
        }

        var change = SessionDelta.Empty.Set("other", [1]);
        state.RefuseConflict(change.BasedOn(1), Callers[0], Session);
        state = Apply(state, SessionDelta.Empty.Set("p4", [1]), Callers[1], limits);

        Assert.Throws<SessionConflictException>(() => state.RefuseConflict(change.BasedOn(state.Version - 1), Callers[0], Session));
        state.RefuseConflict(change.BasedOn(state.Version), Callers[0], Session);
    }

    private static SessionState Start() => Commit(
        SessionState.Empty(TimeSpan.FromMinutes(20), secret: null), SessionDelta.Empty.Set("a", [0]), Callers[1]);

    private static SessionState Commit(SessionState state, SessionDelta delta, RequestId by) => Apply(state, delta, by, Limits);

    private static SessionState Apply(SessionState state, SessionDelta delta, RequestId by, SessionActorsOptions limits)
    {
        var effective = state.Effective(delta);
        return effective.IsEmpty ? state : state.Apply(new Change(effective, By: by), limits, Session);
    }

    private static byte? Value(SessionState state, string name) =>
        state.Properties.TryGetValue(name, out var value) ? value.Span[0] : null;
}
