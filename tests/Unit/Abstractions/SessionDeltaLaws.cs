using System.Collections.Immutable;
using System.Text;
using CsCheck;

namespace SessionActors;

using Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>;

public sealed class SessionDeltaLaws
{
    private static readonly string[] Names = ["a", "b", "c", "", "@x"];
    private static readonly Gen<string> Name = Gen.Int[0, 4].Select(i => Names[i]);
    private static readonly Gen<byte[]> Value = Gen.Byte.Array[0, 2];

    private static readonly Gen<SessionDelta> Delta = Gen.OneOf(
            Gen.Select(Name, Value, (name, value) => (Func<SessionDelta, SessionDelta>)(delta => delta.Set(name, value))),
            Name.Select(name => (Func<SessionDelta, SessionDelta>)(delta => delta.Remove(name))),
            Gen.Select(Name, Gen.Int[0, 9], (name, i) => (Func<SessionDelta, SessionDelta>)(delta => delta.Patch(name, Patch(i)))),
            Gen.Int[1, 3].Select(m => (Func<SessionDelta, SessionDelta>)(delta => delta.WithTtl(TimeSpan.FromMinutes(m)))),
            Gen.Const((Func<SessionDelta, SessionDelta>)(delta => delta.Clear())))
        .List[0, 6]
        .Select(steps => steps.Aggregate(SessionDelta.Empty, (delta, step) => step(delta)));

    private static readonly Gen<Properties> State = Gen.Dictionary(Name, Value)[0, 4]
        .Select(values => values.ToImmutableDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)p.Value));

    [Fact]
    public void Composing_then_applying_is_applying_one_after_the_other() =>
        Gen.Select(Delta, Delta, State).Sample((first, second, state) =>
            Same(After(state, first.Then(second)), After(After(state, first), second)));

    [Fact]
    public void Composing_is_associative() =>
        Gen.Select(Delta, Delta, Delta, State).Sample((a, b, c, state) =>
            Same(After(state, a.Then(b).Then(c)), After(state, a.Then(b.Then(c)))) && a.Then(b).Then(c).Ttl == a.Then(b.Then(c)).Ttl);

    [Fact]
    public void The_empty_delta_changes_nothing() =>
        Gen.Select(Delta, State).Sample((delta, state) =>
            Same(After(state, SessionDelta.Empty.Then(delta)), After(state, delta))
            && Same(After(state, delta.Then(SessionDelta.Empty)), After(state, delta))
            && Same(After(state, SessionDelta.Empty), state));

    [Fact]
    public void Building_step_by_step_is_applying_step_by_step() =>
        Gen.Select(Delta, Name, Value, State).Sample((delta, name, value, state) =>
            Same(After(state, delta.Set(name, value)), After(state, delta).SetItem(name, value))
            && Same(After(state, delta.Remove(name)), After(state, delta).Remove(name))
            && Same(After(state, delta.Patch(name, Patch(1))), After(After(state, delta), SessionDelta.Empty.Patch(name, Patch(1))))
            && After(state, delta.Clear()).IsEmpty);

    [Fact]
    public void What_is_set_is_never_also_removed() =>
        Gen.Select(Delta, Delta).Sample((first, second) => first.Then(second) is var both && !both.Removes.Any(both.Sets.ContainsKey));

    [Fact]
    public void A_delta_copies_the_bytes_it_is_given()
    {
        byte[] value = [1];
        var delta = SessionDelta.Empty.Set("a", value);

        value[0] = 2;

        Assert.Equal(1, delta.Sets["a"].Span[0]);
    }

    [Theory]
    [InlineData("[]", "[1]", "[1]")]
    [InlineData("[1]", " [ ] ", "[1]")]
    [InlineData("[1]", "\n[2,3]\n", "[1,2,3]")]
    [InlineData("[ {} ]", "[[]]", "[{},[]]")]
    public void A_patch_after_a_patch_is_both_in_one_array(string first, string next, string both)
    {
        var delta = SessionDelta.Empty.Patch("a", Encoding.UTF8.GetBytes(first)).Patch("a", Encoding.UTF8.GetBytes(next));

        Assert.Equal(both, Encoding.UTF8.GetString(delta.Patches["a"].Span));
    }

    [Fact]
    public void A_patch_without_operations_is_no_change_and_one_that_is_no_array_is_refused()
    {
        Assert.True(SessionDelta.Empty.Patch("a", "[ ]"u8).IsEmpty);
        Assert.False(SessionDelta.Empty.Patch("a", "[1]"u8).IsEmpty);
        Assert.Throws<ArgumentException>(() => SessionDelta.Empty.Patch("a", "{}"u8));
        Assert.Throws<ArgumentException>(() => SessionDelta.Empty.Patch("a", ""u8));
        Assert.Throws<ArgumentException>(() => SessionDelta.Empty.Patch("half \ud83d", "[1]"u8));
    }

    [Fact]
    public void Only_a_session_applies_patches()
    {
        var error = Assert.Throws<InvalidOperationException>(() => SessionDelta.Empty.Patch("a", "[1]"u8).ApplyTo(Properties.Empty));

        Assert.Contains("Commit it", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Patch(int i) => Encoding.UTF8.GetBytes(i == 0 ? "[]" : $"[{i}]");

    // Deltas know of patches that one can be put behind the other, and no more: here each adds its text.
    private static Properties After(Properties state, SessionDelta delta) => delta.ApplyTo(
        state, (_, before, patch) => (byte[])[.. before?.ToArray() ?? "new"u8.ToArray(), (byte)',', .. patch.Span[1..^1]]);

    private static bool Same(Properties one, Properties other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out var value) && value.Span.SequenceEqual(p.Value.Span));
}
