using System.Collections.Immutable;
using CsCheck;

namespace SessionActors;

public sealed class SessionOverlayLaws
{
    private static readonly string[] Names = ["", "a", "b", "c", "@d"];
    private static readonly Gen<string> Name = Gen.Int[0, 4].Select(i => Names[i]);
    private static readonly Gen<byte[]> Value = Gen.Byte[0, 2].Array[0, 2];

    private static readonly Gen<ImmutableDictionary<string, ReadOnlyMemory<byte>>> Properties =
        Gen.Dictionary(Name, Value)[0, 4].Select(all => all.ToImmutableDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)p.Value));

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (6, Gen.Select(Name, Value, (name, value) => new Step("set", name, value))),
        (3, Name.Select(name => new Step("remove", name))),
        (1, Gen.Const(new Step("clear"))),
        (2, Gen.Const(new Step("commit"))),
        (1, Gen.Const(new Step("lost answer"))),
        (1, Gen.Const(new Step("refused"))),
        (1, Gen.Const(new Step("reload"))));

    [Fact]
    public void A_request_sees_what_a_dictionary_would_and_what_it_commits_makes_the_store_equal()
    {
        Gen.Select(Properties, Steps.Array[0, 12]).Sample((start, steps) =>
        {
            var stored = start;
            var version = 1L;
            var overlay = new SessionOverlay(Snapshot(stored, version));
            var model = start.ToDictionary(p => p.Key, p => p.Value.ToArray());
            SessionDelta? unanswered = null;
            foreach (var step in steps)
            {
                Apply(step, model);
                switch (step.What)
                {
                    case "set": overlay.Set(step.Name, step.Value); break;
                    case "remove": overlay.Remove(step.Name); break;
                    case "clear": overlay.Clear(); break;
                    case "reload" when unanswered is null: overlay.Rebase(Snapshot(stored, version)); break;
                    case "lost answer" when overlay.IsChanged:
                        var sent = overlay.Send();
                        stored = unanswered is null ? sent.ApplyTo(stored) : stored;
                        unanswered = sent;
                        break;
                    case "refused" when overlay.IsChanged && unanswered is null:
                        overlay.Send();
                        overlay.TakeBack();
                        break;
                    case "commit":
                        Commit();
                        break;
                }

                Assert.Equal(Text(model), Text(overlay));
            }

            Commit();
            Assert.Equal(Text(model), Text(stored.ToDictionary(p => p.Key, p => p.Value.ToArray())));
            Assert.False(overlay.IsChanged);

            void Commit()
            {
                while (overlay.IsChanged)
                {
                    var delta = overlay.Send();
                    if (unanswered is null)
                    {
                        stored = delta.ApplyTo(stored);
                    }
                    else
                    {
                        // The store has it already; it must be the very same one.
                        Assert.Same(unanswered, delta);
                        unanswered = null;
                    }

                    overlay.Acknowledge(++version);
                    Assert.Equal(version, overlay.Version);
                }
            }
        });
    }

    [Fact]
    public void Changes_that_end_where_they_began_are_none()
    {
        Gen.Select(Properties, Gen.Select(Name, Value).Array[0, 8]).Sample((start, changes) =>
        {
            var overlay = new SessionOverlay(Snapshot(start, 3));
            foreach (var (name, value) in changes)
            {
                overlay.Set(name, value);
            }

            foreach (var (name, _) in changes)
            {
                if (start.TryGetValue(name, out var before))
                {
                    overlay.Set(name, before.Span);
                }
                else
                {
                    overlay.Remove(name);
                }
            }

            Assert.False(overlay.IsChanged);
        });
    }

    [Fact]
    public void A_delta_holds_nothing_that_the_snapshot_has_already()
    {
        Gen.Select(Properties, Steps.Where(s => s.What is "set" or "remove").Array[0, 12]).Sample((start, steps) =>
        {
            var overlay = new SessionOverlay(Snapshot(start, 3));
            foreach (var step in steps)
            {
                if (step.What == "set")
                {
                    overlay.Set(step.Name, step.Value);
                }
                else
                {
                    overlay.Remove(step.Name);
                }
            }

            var delta = overlay.Send();
            Assert.Equal(3, delta.BaseVersion);
            Assert.All(delta.Sets, set => Assert.False(start.TryGetValue(set.Key, out var old) && old.Span.SequenceEqual(set.Value.Span)));
            Assert.All(delta.Removes, name => Assert.True(start.ContainsKey(name)));
        });
    }

    [Fact]
    public void A_reload_keeps_the_changes_on_top()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1), ("b", 1)), 1));
        overlay.Set("a", [2]);
        overlay.Rebase(Snapshot(Of(("a", 9), ("b", 9), ("c", 9)), 5));
        Assert.Equal("a=02 b=09 c=09", Text(overlay));
        Assert.Equal(5, overlay.Send().BaseVersion);
    }

    [Fact]
    public void An_answer_that_comes_after_a_reload_does_not_take_the_version_back()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1)), 1));
        overlay.Set("a", [2]);
        overlay.Send();
        overlay.Rebase(Snapshot(Of(("a", 2), ("b", 1)), 5));
        overlay.Acknowledge(2);
        Assert.Equal(5, overlay.Version);
        Assert.Equal("a=02 b=01", Text(overlay));
    }

    [Fact]
    public void A_clear_is_a_change_even_where_nothing_is_seen_and_none_in_a_session_that_exists_nowhere()
    {
        var empty = new SessionOverlay(Snapshot(Of(), 1));
        empty.Clear();
        Assert.True(empty.Send().Clears);

        var anew = new SessionOverlay();
        anew.Set("a", [1]);
        anew.Clear();
        Assert.False(anew.IsChanged);
    }

    [Fact]
    public void A_set_after_a_clear_stays_in_the_delta_although_the_snapshot_has_it()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1)), 1));
        overlay.Clear();
        overlay.Set("a", [1]);
        Assert.True(overlay.Send() is { Clears: true, Sets.Count: 1 });
    }

    [Fact]
    public void Forgotten_changes_are_gone_and_stored_ones_stay()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1)), 1));
        overlay.Set("a", [2]);
        overlay.Send();
        overlay.Acknowledge(2);
        overlay.Set("a", [3]);
        overlay.Clear();
        overlay.Forget();
        Assert.Equal("a=02", Text(overlay));
        Assert.False(overlay.IsChanged);
    }

    [Fact]
    public void What_another_call_has_set_or_removed_shows_and_is_no_change()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1), ("b", 1)), 1));
        overlay.Set("c", [1]);
        overlay.Learn("a", new byte[] { 2 });
        overlay.LearnRemoved("b");
        Assert.Equal("a=02 c=01", Text(overlay));
        Assert.True(overlay.Send() is { Sets.Count: 1, Removes.Count: 0 });
        overlay.TakeBack();
        overlay.Forget();
        Assert.Equal("a=02", Text(overlay));
    }

    [Fact]
    public void A_commit_does_not_tell_what_others_have_changed_below_it_but_a_reload_does()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", 1)), 3));
        overlay.Set("a", [2]);
        Assert.Equal(3, overlay.Send().BaseVersion);
        // Perhaps somebody else's version, in which a was 2 already: then there may be more in it.
        overlay.Acknowledge(4);
        overlay.Set("b", [2]);
        Assert.Equal((4, 3), (overlay.Version, overlay.Send().BaseVersion));
        overlay.Acknowledge(5);
        overlay.Rebase(Snapshot(Of(("a", 2), ("b", 2)), 5));
        overlay.Set("c", [1]);
        Assert.Equal(5, overlay.Send().BaseVersion);
    }

    [Fact]
    public void A_session_that_the_request_has_created_is_as_the_request_sees_it()
    {
        var overlay = new SessionOverlay();
        overlay.Set("a", [1]);
        overlay.Send();
        overlay.Acknowledge(1);
        overlay.Set("a", [2]);
        Assert.Equal(1, overlay.Send().BaseVersion);
    }

    [Fact]
    public void An_idle_time_out_is_a_change_only_where_it_is_another()
    {
        var overlay = new SessionOverlay(Snapshot(Of(), 1));
        overlay.SetTtl(TimeSpan.FromMinutes(20));
        Assert.Equal(TimeSpan.FromMinutes(20), overlay.Send().Ttl);
        overlay.Acknowledge(2);
        Assert.Equal(TimeSpan.FromMinutes(20), overlay.OwnTtl);
        overlay.SetTtl(TimeSpan.FromDays(1));
        overlay.SetTtl(TimeSpan.FromMinutes(20));
        Assert.False(overlay.IsChanged);
    }

    [Fact]
    public void Bytes_are_copied_in_and_out()
    {
        var overlay = new SessionOverlay();
        byte[] bytes = [1];
        overlay.Set("a", bytes);
        bytes[0] = 2;
        Assert.True(overlay.TryGetValue("a", out var first));
        first[0] = 3;
        Assert.Equal("a=01", Text(overlay));
    }

    [Fact]
    public void A_name_is_text_of_at_most_65535_bytes_and_may_be_empty()
    {
        var overlay = new SessionOverlay();
        overlay.Set("", [1]);
        overlay.Set(new string('x', 65_535), [1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => overlay.Set(new string('x', 65_536), [1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => overlay.Set(new string('ä', 40_000), [1]));
        Assert.Throws<ArgumentException>(() => overlay.Set("half \ud83d", [1]));
        Assert.Equal(2, overlay.Keys.Count());
    }

    private static void Apply(Step step, Dictionary<string, byte[]> model)
    {
        switch (step.What)
        {
            case "set": model[step.Name] = step.Value; break;
            case "remove": model.Remove(step.Name); break;
            case "clear": model.Clear(); break;
        }
    }

    private static ImmutableDictionary<string, ReadOnlyMemory<byte>> Of(params (string Name, byte Value)[] properties) =>
        properties.ToImmutableDictionary(p => p.Name, p => new ReadOnlyMemory<byte>([p.Value]));

    private static SessionSnapshot Snapshot(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties, long version) =>
        new() { Version = version, Properties = properties, Ttl = TimeSpan.FromMinutes(20), HasOwnTtl = false, Generation = 1 };

    private static string Text(SessionOverlay overlay) => Text(
        overlay.Keys.ToDictionary(
            name => name, name => overlay.TryGetValue(name, out var value) ? value : throw new KeyNotFoundException(name)));

    private static string Text(Dictionary<string, byte[]> properties) => string.Join(
        ' ', properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={Convert.ToHexString(p.Value)}"));

    private sealed record Step(string What, string Name = "", byte[]? Bytes = null)
    {
        public byte[] Value => Bytes ?? [];
    }
}
