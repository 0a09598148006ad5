using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace SessionActors;

public sealed class JsonDifferenceLaws
{
    private static readonly Gen<Edit> Edits = Gen.Select(
        JsonGen.One("set", "remove", "append", "prepend", "swap"), Gen.Int[0, 1000], JsonGen.Name, JsonGen.Document(depth: 2),
        (what, where, name, value) => new Edit(what, where, name, value));

    // A document, and what some edits have made of it; or another one altogether.
    private static readonly Gen<(string Before, string After)> Pair = Gen.Frequency(
        (5, Gen.Select(JsonGen.Document(depth: 4), Edits.Array[1, 4], (json, edits) => (json, Edited(json, edits)))),
        (1, Gen.Select(JsonGen.Document(depth: 4), JsonGen.Document(depth: 4), (before, after) => (before, after))));

    [Fact]
    public void The_difference_makes_the_one_document_the_other()
    {
        var told = 0;
        Pair.Sample(
            pair =>
            {
                if (Between(pair.Before, pair.After) is { } patch)
                {
                    Interlocked.Increment(ref told);
                    AssertSame(pair.After, Apply(pair.Before, patch), $"{pair} {patch}");
                }
                else
                {
                    Assert.False(AreObjects(pair.Before, pair.After), $"{pair} can be told, one object from the other");
                }
            },
            iter: 5000);
        Assert.True(told > 1000);
    }

    [Fact]
    public void There_is_no_difference_between_a_document_and_itself_or_itself_with_its_members_in_another_order()
    {
        JsonGen.Document(depth: 4).Sample(json => Assert.Equal("[]", Between(json, json)));
        Assert.Equal("[]", Between("""{"a":1,"b":[{"c":"x","d":2}]}""", """ {"b":[{"d":2,"c":"\u0078"}],"a":1} """));
    }

    [Fact]
    public void What_the_type_does_not_know_stays() =>
        Gen.Select(JsonGen.Object(depth: 4), Edits.Array[1, 4]).Sample(
            (json, edits) =>
            {
                var after = Edited(json, edits);
                var loaded = WithUnknown(JsonNode.Parse(json))!.ToJsonString();
                if (Between(loaded, json, after) is { } patch)
                {
                    var merged = Apply(loaded, patch);
                    AssertSame(after, WithoutUnknown(JsonNode.Parse(merged))!.ToJsonString(), $"{loaded} {patch}");
                    Assert.NotNull(JsonNode.Parse(merged)!["unknown"]);
                }
            },
            iter: 3000);

    [Fact]
    public void Changes_of_different_members_commute() =>
        Gen.Select(Pair, Pair).Sample(
            (left, right) =>
            {
                string Both(string l, string r) => $$"""{"cart":{"l":{{l}},"r":{{r}}},"other":1}""";
                var before = Both(left.Before, right.Before);
                var first = Between(before, Both(left.After, right.Before))!;
                var second = Between(before, Both(left.Before, right.After))!;

                AssertSame(Both(left.After, right.After), Apply(Apply(before, first), second), $"{before} {first} {second}");
                AssertSame(Both(left.After, right.After), Apply(Apply(before, second), first), $"{before} {second} {first}");
            },
            iter: 3000);

    [Theory]
    // Members: the last one wins, also over a removal; only without the object around them they do not fit.
    [InlineData("""{"a":{"x":1,"y":1}}""", """{"a":{"x":2,"y":1}}""", """{"a":{"x":1,"y":3}}""", """{"a":{"x":2,"y":3}}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":2}}""", """{"a":{"x":3}}""", """{"a":{"x":2}}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":2}}""", """{"a":{}}""", """{"a":{"x":2}}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{}}""", """{"a":{}}""", """{"a":{}}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":2}}""", """{}""", "conflict")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":2}}""", """{"a":null}""", "conflict")]
    // What comes at an end of an array comes there.
    [InlineData("[1]", "[1,2]", "[1,3]", "[1,3,2]")]
    [InlineData("[1]", "[2,1]", "[3,1]", "[2,3,1]")]
    [InlineData("""{"a":[]}""", """{"a":[1,1]}""", """{"a":[2]}""", """{"a":[2,1,1]}""")]
    [InlineData("""[{"q":1}]""", """[{"q":1},{"q":1}]""", """[{"q":2}]""", """[{"q":2},{"q":1}]""")]
    // Objects with an id are found by it, whatever else of them changes.
    [InlineData(
        """[{"id":7,"q":1,"s":"a"},{"id":8,"q":1}]""", """[{"id":7,"q":2,"s":"a"},{"id":8,"q":1}]""",
        """[{"id":7,"q":1,"s":"b"},{"id":8,"q":9}]""", """[{"id":7,"q":2,"s":"b"},{"id":8,"q":9}]""")]
    [InlineData("""[{"id":7,"q":1},{"id":8,"q":1}]""", """[{"id":7,"q":1},{"id":8,"q":2}]""", """[{"id":8,"q":1}]""", "conflict")]
    [InlineData(
        """[{"id":7,"q":1},{"id":8,"q":1}]""", """[{"id":7,"q":2},{"id":8,"q":1}]""",
        """[{"id":9,"q":1},{"id":7,"q":1},{"id":8,"q":1}]""", "conflict")]
    [InlineData(
        """[{"id":1},{"id":2},{"id":3,"q":1}]""", """[{"id":0},{"id":1},{"id":3,"q":2},{"id":4}]""",
        """[{"id":1},{"id":2},{"id":3,"q":1},{"id":5}]""", """[{"id":0},{"id":1},{"id":3,"q":2},{"id":5},{"id":4}]""")]
    [InlineData("""[{"id":1},{"id":2}]""", """[{"id":2}]""", """[{"id":2}]""", "conflict")]
    // Without an id by their texts, as far as this change leaves them alone.
    [InlineData(
        """[{"sku":"tea","q":1,"p":1},{"sku":"milk","q":1,"p":1}]""", """[{"sku":"tea","q":1,"p":1},{"sku":"milk","q":2,"p":1}]""",
        """[{"sku":"tea","q":5,"p":1},{"sku":"milk","q":1,"p":2}]""", """[{"sku":"tea","q":5,"p":1},{"sku":"milk","q":2,"p":2}]""")]
    [InlineData(
        """[{"sku":"tea","c":"red","q":1}]""", """[{"sku":"tea","c":"red","q":2}]""",
        """[{"sku":"tea","c":"blue","q":1},{"sku":"tea","c":"red","q":1}]""", "conflict")]
    // Without texts by all that they are.
    [InlineData("""[{"q":1},{"q":2}]""", """[{"q":1},{"q":3}]""", """[{"q":9},{"q":2}]""", """[{"q":9},{"q":3}]""")]
    [InlineData("""[{"q":1},{"q":2}]""", """[{"q":1},{"q":3}]""", """[{"q":2}]""", "conflict")]
    [InlineData("""[{"q":1,"r":1}]""", """[{"q":2,"r":1}]""", """[{"q":1,"r":2}]""", "conflict")]
    // Else the array is one value, and the last one wins.
    [InlineData("""{"a":[1,2]}""", """{"a":[1,3]}""", """{"a":[9,2]}""", """{"a":[1,3]}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[]}""", """{"a":[1,2,3]}""", """{"a":[]}""")]
    [InlineData("""{"a":[{"id":1},{"id":2}]}""", """{"a":[{"id":2},{"id":1}]}""", """{"a":[]}""", """{"a":[{"id":2},{"id":1}]}""")]
    [InlineData("""{"a":[{"q":1},{"q":2}]}""", """{"a":[{"q":1}]}""", """{"a":[{"q":5}]}""", """{"a":[{"q":1}]}""")]
    public void What_becomes_of_a_change_when_another_request_was_first(string before, string after, string meanwhile, string merged)
    {
        var patch = Between(before, after)!;

        AssertSame(merged, Apply(meanwhile, patch), patch);
    }

    [Theory]
    [InlineData("1", "2")]
    [InlineData("[1,2]", "[2,1]")]
    [InlineData("{}", "[]")]
    [InlineData("""{"a":1,"a":2}""", """{"a":1}""")]
    [InlineData("no JSON", "{}")]
    public void What_only_the_whole_value_can_say_is_not_told_as_a_difference(string before, string after) =>
        Assert.Null(Between(before, after));

    [Fact]
    public void A_name_that_was_loaded_in_another_case_is_not_put_beside_itself()
    {
        Assert.Null(Between("""{"Coupon":"x"}""", """{"coupon":"x"}""", """{"coupon":"y"}"""));
        Assert.Equal("[]", Between("""{"Coupon":"x"}""", """{"coupon":"x"}""", """{"coupon":"x"}"""));
        Assert.NotNull(Between("""{"A":1}""", """{"A":1,"a":2}"""));
    }

    [Fact]
    public void A_member_that_was_not_there_when_it_was_loaded_is_sent_with_all_that_is_in_it() => Assert.Equal(
        """[{"op":"add","path":"/list","value":[1]}]""", Between("""{}""", """{"list":[],"n":0}""", """{"list":[1],"n":0}"""));

    private static string? Between(string before, string after) => Between(before, before, after);

    private static string? Between(string loaded, string before, string after) =>
        JsonDifference.Between(Bytes(loaded), Bytes(before), Bytes(after)) is { } patch ? Encoding.UTF8.GetString(patch) : null;

    private static string Apply(string json, string patch) =>
        PropertyPatch.Apply(Bytes(json), Bytes(patch), out _) is { } after ? Encoding.UTF8.GetString(after) : "\"conflict\"";

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static void AssertSame(string expected, string actual, string how)
    {
        var json = expected == "conflict" ? "\"conflict\"" : expected;
        Assert.True(JsonDifference.AreSame(Bytes(json), Bytes(actual)), $"{how}: {actual}, not {expected}");
    }

    private static bool AreObjects(string one, string other) => one.StartsWith('{') && other.StartsWith('{');

    private static string Edited(string json, Edit[] edits)
    {
        var root = JsonNode.Parse(json);
        foreach (var edit in edits)
        {
            var parents = Parents(root).ToList();
            if (parents.Count > 0)
            {
                edit.Do(parents[edit.Where % parents.Count]);
            }
        }

        return root?.ToJsonString() ?? "null";
    }

    private static IEnumerable<JsonNode> Parents(JsonNode? node) => node switch
    {
        JsonObject parent => parent.Select(member => member.Value).SelectMany(Parents).Prepend(parent),
        JsonArray parent => parent.SelectMany(Parents).Prepend(parent),
        _ => [],
    };

    private static JsonNode? WithUnknown(JsonNode? node)
    {
        foreach (var parent in Parents(node).OfType<JsonObject>().ToList())
        {
            parent["unknown"] = 1;
        }

        return node;
    }

    private static JsonNode? WithoutUnknown(JsonNode? node)
    {
        foreach (var parent in Parents(node).OfType<JsonObject>().ToList())
        {
            parent.Remove("unknown");
        }

        return node;
    }

    private sealed record Edit(string What, int Where, string Name, string Value)
    {
        public void Do(JsonNode parent)
        {
            var value = JsonNode.Parse(Value);
            switch (parent, What)
            {
                case (JsonObject o, "set"): o[Name] = value; break;
                case (JsonObject { Count: > 0 } o, "swap"): o[o.ElementAt(Where % o.Count).Key] = value; break;
                case (JsonObject { Count: > 0 } o, _): o.Remove(o.ElementAt(Where % o.Count).Key); break;
                case (JsonArray a, "append"): a.Add(value); break;
                case (JsonArray a, "prepend"): a.Insert(0, value); break;
                case (JsonArray { Count: > 0 } a, "set"): a[Where % a.Count] = value; break;
                case (JsonArray { Count: > 1 } a, "swap"):
                    var first = a[0];
                    a.RemoveAt(0);
                    a.Add(first);
                    break;
                case (JsonArray { Count: > 0 } a, "remove"): a.RemoveAt(Where % a.Count); break;
            }
        }
    }
}
