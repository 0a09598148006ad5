using CsCheck;

namespace SessionActors;

/// <summary>Random JSON documents, as text, with the names and numbers that are easy to get wrong.</summary>
internal static class JsonGen
{
    private static readonly string[] Names = ["a", "b", "id", "sku", "", "a/b", "~", "~1", "ü", "0", "-"];

    private static readonly Gen<string> Scalar = One(
        "null", "true", "false",
        "0", "1", "2", "1.10", "1.1", "12345678901234567890123", "-0.50", "1e2",
        "\"\"", "\"a\"", "\"b\"", "\"ü\"", "\"\\u00fc\\\\\"", "\"/~\"");

    public static readonly Gen<string> Name = One(Names);

    public static Gen<string> One(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    public static Gen<string> Document(int depth) => depth == 0 ? Scalar : Gen.Frequency(
        (2, Scalar),
        (4, Object(depth)),
        (3, Document(depth - 1).Array[0, 4].Select(elements => $"[{string.Join(',', elements)}]")),
        (2, Object(depth - 1).Array[0, 4].Select(elements => $"[{string.Join(',', elements)}]")));

    public static Gen<string> Object(int depth) => Gen.Dictionary(Name, depth <= 1 ? Scalar : Document(depth - 1))[0, 5].Select(members =>
        $"{{{string.Join(',', members.Select(member => $"\"{member.Key}\":{member.Value}"))}}}");
}
