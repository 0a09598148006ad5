using CsCheck;

namespace SessionActors;

/// <summary>What is answered to somebody who has a snapshot, put on top of it, is the session.</summary>
public sealed class OpeningSinceLaws
{
    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly RequestId Caller = new(1, 1);
    private static readonly SecretHash Secret = SecretHash.Of([1]);

    private static readonly Gen<Change> Step = Gen.Frequency(
        (6, Gen.Select(Gen.Int[0, 2], Gen.Byte[0, 3], (name, value) => new Change(SessionDelta.Empty.Set(Names[name], [value])))),
        (3, Gen.Int[0, 2].Select(name => new Change(SessionDelta.Empty.Remove(Names[name])))),
        (1, Gen.Byte[0, 3].Select(value => new Change(SessionDelta.Empty.Clear().Set(Names[0], [value])))),
        (1, Gen.Int[1, 3].Select(minutes => new Change(SessionDelta.Empty.WithTtl(TimeSpan.FromMinutes(minutes))))),
        (1, Gen.Byte[1, 9].Select(secret => new Change(SessionDelta.Empty, SecretHash.Of([secret]), "2"))),
        (1, Gen.Const(new Change(SessionDelta.Empty) { User = new BoundUser("ada", 1) })));

    [Theory]
    [InlineData(1024)]
    [InlineData(1)]
    public void Answer_on_top_of_an_earlier_snapshot_is_the_session(int mostProperties)
    {
        Gen.Select(Step.Array[0, 8], Step.Array[0, 8]).Sample((past, since) =>
        {
            var limits = new SessionActorsOptions { MaxProperties = mostProperties };
            var earlier = past.Aggregate(SessionState.Empty(TimeSpan.FromMinutes(20), Secret), (state, step) => Apply(state, step, limits));
            var now = since.Aggregate(earlier, (state, step) => Apply(state, step, limits));

            var known = earlier.Opening;
            var answer = now.OpeningSince(new SnapshotMark(known.Snapshot!.History, known.Snapshot.Version));

            Assert.Equal(Text(now.Opening), Text(answer.Whole(known)));
        });
    }

    [Fact]
    public void To_a_snapshot_of_another_history_the_whole_session_is_answered()
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), Secret);
        var other = SessionState.Empty(TimeSpan.FromMinutes(20), Secret).Opening.Snapshot!;

        Assert.Same(state.Opening, state.OpeningSince(new SnapshotMark(other.History, other.Version)));
        Assert.Same(state.Opening, state.OpeningSince(new SnapshotMark(state.Opening.Snapshot!.History, state.Version + 1)));
    }

    private static SessionState Apply(SessionState state, Change change, SessionActorsOptions limits)
    {
        var effective = change with { Delta = state.Effective(change.Delta), By = Caller };
        try
        {
            return state.Apply(effective, limits, "01234567");
        }
        catch (SessionLimitExceededException)
        {
            return state;
        }
    }

    private static string Text(SessionOpening opening)
    {
        var snapshot = opening.Snapshot!;
        var properties = snapshot.Properties.OrderBy(property => property.Key, StringComparer.Ordinal)
            .Select(property => $"{property.Key}={Convert.ToHexString(property.Value.Span)}");
        return string.Join(
            ' ',
            [.. properties, opening.Standing, snapshot.Version, snapshot.Ttl, snapshot.HasOwnTtl, snapshot.Generation, snapshot.UserId,
                snapshot.History]);
    }
}
