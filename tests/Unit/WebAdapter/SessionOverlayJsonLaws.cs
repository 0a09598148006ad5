using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace SessionActors;

/// <summary>What is inside properties, as one request sees it and as others change it meanwhile.</summary>
public sealed class SessionOverlayJsonLaws
{
    private static readonly Gen<Step> Steps = Gen.Frequency(
        (6, Gen.Select(Name, JsonGen.Object(depth: 3), (name, json) => new Step("merge", name, json))),
        (4, Name.Select(name => new Step("see", name))),
        (1, Gen.Select(Name, JsonGen.Document(depth: 2), (name, json) => new Step("set", name, json))),
        (1, Name.Select(name => new Step("remove", name))),
        (1, Gen.Const(new Step("clear"))),
        (2, Gen.Const(new Step("commit"))),
        (1, Gen.Const(new Step("lost answer"))),
        (1, Gen.Const(new Step("refused"))),
        (1, Gen.Const(new Step("reload"))));

    private static Gen<string> Name => JsonGen.One("a", "b");

    [Fact]
    public void A_request_sees_what_it_has_set_and_alone_it_makes_the_store_equal()
    {
        Gen.Select(JsonGen.Object(depth: 3), Steps.Array[0, 12]).Sample(
            (start, steps) =>
            {
                var stored = Of(("a", start));
                var version = 1L;
                var overlay = new SessionOverlay(Snapshot(stored, version));
                var model = new Dictionary<string, string> { ["a"] = start };
                SessionDelta? unanswered = null;
                foreach (var step in steps)
                {
                    switch (step.What)
                    {
                        case "merge": Merge(overlay, step.Name, model[step.Name] = step.Json); break;
                        case "see": overlay.See(step.Name); break;
                        case "set": overlay.Set(step.Name, Bytes(model[step.Name] = step.Json)); break;
                        case "remove":
                            overlay.Remove(step.Name);
                            model.Remove(step.Name);
                            break;
                        case "clear":
                            overlay.Clear();
                            model.Clear();
                            break;
                        case "reload" when unanswered is null: overlay.Rebase(Snapshot(stored, version)); break;
                        case "lost answer" when overlay.IsChanged:
                            var sent = overlay.Send();
                            stored = unanswered is null ? After(stored, sent) : stored;
                            unanswered = sent;
                            break;
                        case "refused" when overlay.IsChanged && unanswered is null:
                            overlay.Send();
                            overlay.TakeBack();
                            break;
                        case "commit": Commit(); break;
                    }

                    Assert.Equal(Text(model), Text(overlay));
                }

                Commit();
                Assert.Equal(Text(model), Text(stored.ToDictionary(p => p.Key, p => Encoding.UTF8.GetString(p.Value.Span))));

                void Commit()
                {
                    while (overlay.IsChanged)
                    {
                        var delta = overlay.Send();
                        stored = unanswered is null ? After(stored, delta) : stored;
                        unanswered = null;
                        overlay.Acknowledge(++version);
                    }
                }
            },
            iter: 3000);
    }

    [Fact]
    public void Two_requests_that_change_different_members_both_keep_theirs() =>
        Gen.Select(JsonGen.Document(depth: 3), JsonGen.Document(depth: 3), JsonGen.Document(depth: 3)).Sample((before, left, right) =>
        {
            var stored = Of(("a", Both(before, before)));
            var (one, other) = (new SessionOverlay(Snapshot(stored, 1)), new SessionOverlay(Snapshot(stored, 1)));
            one.See("a");
            other.See("a");
            Merge(one, "a", Both(left, before));
            Merge(other, "a", Both(before, right));

            stored = other.IsChanged ? After(stored, other.Send()) : stored;
            if (one.IsChanged)
            {
                one.Rebase(Snapshot(stored, 2));
                Assert.Equal(Escaped(Both(left, right)), Text(one)["a=".Length..]);
                stored = After(stored, one.Send());
            }

            Assert.Equal(Escaped(Both(left, right)), Escaped(Encoding.UTF8.GetString(stored["a"].Span)));
            static string Both(string l, string r) => $$"""{"l":{{l}},"r":{{r}}}""";
        });

    [Fact]
    public void Setting_back_what_was_loaded_is_no_change() =>
        Gen.Select(JsonGen.Object(depth: 3), JsonGen.Object(depth: 3).Array[0, 3], Gen.Bool).Sample((json, others, seesAgain) =>
        {
            var overlay = new SessionOverlay(Snapshot(Of(("a", json)), 1));
            overlay.See("a");
            foreach (var other in others)
            {
                Merge(overlay, "a", other);
                if (seesAgain)
                {
                    overlay.See("a");
                }
            }

            Merge(overlay, "a", json);
            Assert.False(overlay.IsChanged);
        });

    [Fact]
    public void An_element_that_was_added_and_then_changed_is_sent_as_it_is_in_the_end()
    {
        var overlay = Seen("""{"items":[]}""");
        Merge(overlay, "a", """{"items":[{"sku":"tea","n":1}]}""");
        overlay.See("a");
        Merge(overlay, "a", """{"items":[{"sku":"tea","n":2}]}""");

        var stored = After(Of(("a", """{"items":[{"sku":"jam"}]}""")), overlay.Send());

        Assert.Equal("""{"items":[{"sku":"jam"},{"sku":"tea","n":2}]}""", Encoding.UTF8.GetString(stored["a"].Span));
    }

    [Fact]
    public void Without_having_seen_a_property_a_request_replaces_it_and_from_then_on_knows_it()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", """{"x":1,"y":1}""")), 1));

        Merge(overlay, "a", """{"x":2,"y":1}""");
        Assert.True(overlay.Send() is { Sets.Count: 1, Patches.Count: 0 });
        overlay.Acknowledge(2);
        Merge(overlay, "a", """{"x":3,"y":1}""");

        Assert.True(overlay.Send() is { Sets.Count: 0, Patches.Count: 1 });
    }

    [Fact]
    public void A_whole_change_that_is_taken_back_is_not_what_the_next_one_starts_from()
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", "{}")), 1));
        Merge(overlay, "a", """{"in":{}}""");
        Merge(overlay, "a", "{}");
        Assert.False(overlay.IsChanged);

        Merge(overlay, "a", """{"in":{"x":1}}""");

        var stored = After(Of(("a", "{}")), overlay.Send());
        Assert.Equal("""{"in":{"x":1}}""", Encoding.UTF8.GetString(stored["a"].Span));
    }

    [Fact]
    public void A_whole_change_after_one_inside_replaces_it_also_by_the_same_bytes()
    {
        var overlay = Seen("""{"x":1}""");
        Merge(overlay, "a", """{"x":2}""");

        overlay.Set("a", """{"x":2}"""u8);

        Assert.True(overlay.Send() is { Sets.Count: 1, Patches.Count: 0 });
    }

    [Fact]
    public void What_a_request_did_not_see_of_a_reload_is_none_of_its_changes()
    {
        var overlay = Seen("""{"x":1,"y":1}""");
        overlay.Rebase(Snapshot(Of(("a", """{"x":1,"y":2}""")), 2));

        Merge(overlay, "a", """{"x":2,"y":1}""");

        Assert.Equal("""a={"x":2,"y":2}""", Text(overlay));
        Assert.True(overlay.Changes("a"));
    }

    [Theory]
    [InlineData("""{"b":0}""")]
    [InlineData("no JSON")]
    public void A_change_that_does_not_fit_a_reload_is_shown_as_it_was_made_and_left_to_the_commit(string meanwhile)
    {
        var overlay = Seen("""{"in":{"x":1}}""");
        Merge(overlay, "a", """{"in":{"x":2}}""");

        overlay.Rebase(Snapshot(Of(("a", meanwhile)), 2));
        Assert.Equal("""a={"in":{"x":2}}""", Text(overlay));
        overlay.Rebase(Snapshot(Of(), 3));
        Assert.Equal("""a={"in":{"x":2}}""", Text(overlay));

        Assert.Single(overlay.Send().Patches);
        overlay.Rebase(Snapshot(Of(), 4));
        Assert.Equal("""a={"in":{"x":2}}""", Text(overlay));
    }

    [Fact]
    public void Changes_that_were_forgotten_are_gone_and_so_is_what_was_seen()
    {
        var overlay = Seen("""{"x":1,"y":1}""");
        Merge(overlay, "a", """{"x":2,"y":1}""");

        overlay.Forget();
        Assert.False(overlay.IsChanged);
        Merge(overlay, "a", """{"x":1,"y":2}""");

        Assert.Single(overlay.Send().Sets);
    }

    [Fact]
    public void A_change_of_very_much_is_sent_as_a_whole()
    {
        var overlay = Seen("{}");

        Merge(overlay, "a", $$"""{"x":"{{new string('x', PropertyPatch.MostBytes)}}"}""");

        Assert.True(overlay.Send() is { Sets.Count: 1, Patches.Count: 0 });
    }

    private static SessionOverlay Seen(string json)
    {
        var overlay = new SessionOverlay(Snapshot(Of(("a", json)), 1));
        overlay.See("a");
        return overlay;
    }

    private static void Merge(SessionOverlay overlay, string name, string json) => overlay.Merge(name, Bytes(json), seen => seen.ToArray());

    private static ImmutableDictionary<string, ReadOnlyMemory<byte>> After(
        ImmutableDictionary<string, ReadOnlyMemory<byte>> stored, SessionDelta delta) =>
        delta.ApplyTo(
            stored,
            (_, before, patch) =>
                PropertyPatch.Apply(before!.Value.Span, patch.Span, out var why) ?? throw new InvalidOperationException(why));

    private static ImmutableDictionary<string, ReadOnlyMemory<byte>> Of(params (string Name, string Json)[] properties) =>
        properties.ToImmutableDictionary(p => p.Name, p => (ReadOnlyMemory<byte>)Bytes(p.Json));

    private static SessionSnapshot Snapshot(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties, long version) =>
        new() { Version = version, Properties = properties, Ttl = TimeSpan.FromMinutes(20), HasOwnTtl = false, Generation = 1 };

    private static string Text(SessionOverlay overlay) => Text(overlay.Keys.ToDictionary(
        name => name,
        name => overlay.TryGetValue(name, out var value) ? Encoding.UTF8.GetString(value) : throw new KeyNotFoundException(name)));

    private static string Text(Dictionary<string, string> properties) => string.Join(
        ' ', properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={Escaped(p.Value)}"));

    // In one spelling, members in order.
    private static string Escaped(string json) => Sorted(JsonNode.Parse(json))?.ToJsonString() ?? "null";

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject parent => new JsonObject(parent.OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray parent => new JsonArray([.. parent.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private sealed record Step(string What, string Name = "", string Json = "");
}
