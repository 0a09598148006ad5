using System.Collections.Immutable;
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
            Gen.Int[1, 3].Select(m => (Func<SessionDelta, SessionDelta>)(delta => delta.WithTtl(TimeSpan.FromMinutes(m)))),
            Gen.Const((Func<SessionDelta, SessionDelta>)(delta => delta.Clear())))
        .List[0, 6]
        .Select(steps => steps.Aggregate(SessionDelta.Empty, (delta, step) => step(delta)));

    private static readonly Gen<Properties> State = Gen.Dictionary(Name, Value)[0, 4]
        .Select(values => values.ToImmutableDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)p.Value));

    [Fact]
    public void Composing_then_applying_is_applying_one_after_the_other() =>
        Gen.Select(Delta, Delta, State).Sample((first, second, state) =>
            Same(first.Then(second).ApplyTo(state), second.ApplyTo(first.ApplyTo(state))));

    [Fact]
    public void Composing_is_associative() =>
        Gen.Select(Delta, Delta, Delta, State).Sample((a, b, c, state) =>
            Same(a.Then(b).Then(c).ApplyTo(state), a.Then(b.Then(c)).ApplyTo(state)) && a.Then(b).Then(c).Ttl == a.Then(b.Then(c)).Ttl);

    [Fact]
    public void The_empty_delta_changes_nothing() =>
        Gen.Select(Delta, State).Sample((delta, state) =>
            Same(SessionDelta.Empty.Then(delta).ApplyTo(state), delta.ApplyTo(state))
            && Same(delta.Then(SessionDelta.Empty).ApplyTo(state), delta.ApplyTo(state))
            && Same(SessionDelta.Empty.ApplyTo(state), state));

    [Fact]
    public void Building_step_by_step_is_applying_step_by_step() =>
        Gen.Select(Delta, Name, Value, State).Sample((delta, name, value, state) =>
            Same(delta.Set(name, value).ApplyTo(state), delta.ApplyTo(state).SetItem(name, value))
            && Same(delta.Remove(name).ApplyTo(state), delta.ApplyTo(state).Remove(name))
            && delta.Clear().ApplyTo(state).IsEmpty);

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

    private static bool Same(Properties one, Properties other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out var value) && value.Span.SequenceEqual(p.Value.Span));
}
