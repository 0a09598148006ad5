using CsCheck;

namespace SessionActors;

public sealed class SessionOperationsTests
{
    private static readonly Gen<byte[]> Value = Gen.Byte[0, 2].Array[0, 2];
    private static readonly Gen<byte[]?> Maybe = Gen.OneOf(Value.Select(value => (byte[]?)value), Gen.Const((byte[]?)null));

    [Fact]
    public void A_take_removes_what_is_there_and_its_result_is_the_value() =>
        Maybe.Sample(before =>
        {
            var state = State(before);
            var change = SessionOperations.Take(state, "p");
            return Same(SessionOperations.Read(change.Result), before) && Same(After(state, change), null);
        });

    [Fact]
    public void A_compare_and_set_sets_exactly_where_the_bytes_are_equal() =>
        Gen.Select(Maybe, Maybe, Maybe).Sample((before, expected, value) =>
        {
            var state = State(before);
            var change = SessionOperations.CompareAndSet(state, "p", Memory(expected), Memory(value));
            var equal = before is null ? expected is null : expected is not null && before.SequenceEqual(expected);
            return SessionOperations.IsDone(change.Result) == equal && Same(After(state, change), equal ? value : before);
        });

    [Fact]
    public void A_get_or_set_sets_exactly_where_nothing_is_there() =>
        Gen.Select(Maybe, Value).Sample((before, value) =>
        {
            var state = State(before);
            var change = SessionOperations.GetOrSet(state, "p", value);
            return Same(SessionOperations.Read(change.Result) ?? value, before ?? value) && Same(After(state, change), before ?? value);
        });

    [Fact]
    public void An_operation_that_leaves_the_property_as_it_is_changes_nothing() =>
        Gen.Select(Maybe, Maybe, Maybe).Sample((before, expected, value) =>
        {
            var state = State(before);
            Change[] changes =
            [
                SessionOperations.Take(state, "p"),
                SessionOperations.CompareAndSet(state, "p", Memory(expected), Memory(value)),
                SessionOperations.GetOrSet(state, "p", value ?? []),
            ];
            return changes.All(change => state.Effective(change.Delta).IsEmpty == Same(After(state, change), before));
        });

    [Fact]
    public void A_result_has_no_blank_which_would_end_it_in_the_store_and_is_read_back_whatever_the_bytes() =>
        Gen.Byte.Array[0, 100].Sample(bytes =>
        {
            var result = SessionOperations.Take(State(bytes), "p").Result;
            return !result.Any(char.IsWhiteSpace) && result.All(char.IsAscii) && Same(SessionOperations.Read(result), bytes);
        });

    [Fact]
    public void Other_properties_are_left_alone()
    {
        var state = State([1]);
        state = state.Apply(new Change(SessionDelta.Empty.Set("other", [9])), new SessionActorsOptions(), "01234567");

        foreach (var change in new[]
        {
            SessionOperations.Take(state, "p"), SessionOperations.CompareAndSet(state, "p", new byte[] { 1 }, null),
            SessionOperations.GetOrSet(state, "q", new byte[] { 1 }),
        })
        {
            Assert.DoesNotContain("other", change.Delta.Sets.Keys.Concat(change.Delta.Removes));
            Assert.False(change.Delta.Clears);
        }
    }

    private static SessionState State(byte[]? value)
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null);
        return value is null
            ? state
            : state.Apply(new Change(SessionDelta.Empty.Set("p", value)), new SessionActorsOptions(), "01234567");
    }

    private static ReadOnlyMemory<byte>? After(SessionState state, Change change) =>
        change.Delta.ApplyTo(state.Properties).TryGetValue("p", out var value) ? value : default(ReadOnlyMemory<byte>?);

    private static ReadOnlyMemory<byte>? Memory(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes;

    private static bool Same(ReadOnlyMemory<byte>? one, byte[]? other) =>
        one is { } bytes ? other is not null && bytes.Span.SequenceEqual(other) : other is null;
}
