using System.Runtime.InteropServices;
using System.Text.Json;

namespace SessionActors;

/// <summary>JSON compared by what it says and how numbers are written, and pointers into it.</summary>
internal static class JsonText
{
    public static bool IsObject(JsonElement value) => value.ValueKind == JsonValueKind.Object;

    public static JsonElement[] ElementsOf(JsonElement value) => [.. value.EnumerateArray()];

    public static Dictionary<string, JsonElement> MembersOf(JsonElement value) =>
        value.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);

    /// <summary>The pointer (RFC 6901) to a member of what another points to.</summary>
    public static string Below(string path, string name) =>
        $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    /// <summary>Whether both say the same. Numbers are as they are written, so that 1.10 is not 1.1.</summary>
    public static bool AreSame(JsonElement one, JsonElement other)
    {
        if (one.ValueKind != other.ValueKind)
        {
            return false;
        }

        // Nearly all of a document is as it was, to the byte: looking into it costs a hundred times as much.
        return JsonMarshal.GetRawUtf8Value(one).SequenceEqual(JsonMarshal.GetRawUtf8Value(other)) || one.ValueKind switch
        {
            JsonValueKind.Object => AreSame(MembersOf(one), MembersOf(other)),
            JsonValueKind.Array => AreSame(ElementsOf(one), ElementsOf(other)),
            JsonValueKind.String => one.ValueEquals(other.GetString()),
            _ => false,
        };
    }

    public static bool AreSame(ReadOnlySpan<JsonElement> one, ReadOnlySpan<JsonElement> other)
    {
        if (one.Length != other.Length)
        {
            return false;
        }

        for (var i = 0; i < one.Length; i++)
        {
            if (!AreSame(one[i], other[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool AreSame(Dictionary<string, JsonElement> one, Dictionary<string, JsonElement> other) =>
        one.Count == other.Count && one.All(member => other.TryGetValue(member.Key, out var value) && AreSame(member.Value, value));
}
