using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SessionActors;

/// <summary>
/// Applies RFC 6902 operations to a property that is JSON, all or none. Values keep the text they were written with (<c>1.10</c> stays
/// <c>1.10</c>); white space between them goes.
/// <para>
/// <c>add</c>, <c>remove</c>, <c>replace</c> and <c>test</c> only: <c>copy</c> and <c>move</c> would let a small patch make a document
/// grow, in size and in depth, past what is checked here. By hand, because Microsoft.AspNetCore.JsonPatch.SystemTextJson 10.0.15 takes a
/// pointer to an empty name for one to its parent, skips an operation it does not know, sets null where a value is missing, and cannot
/// test for null, all without a word; the tests compare the two on everything else.
/// </para>
/// </summary>
internal static class PropertyPatch
{
    /// <summary>Most operations of one patch. Each may shift an array of the whole property, within one turn of the grain.</summary>
    public const int MostOperations = 4096;

    /// <summary>Largest patch in bytes.</summary>
    public const int MostBytes = 128 * 1024;

    // As deep as System.Text.Json reads by default: what is deeper could be stored and never be read again.
    private const int MostDepth = 64;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MostDepth };

    // The array and the operation are two levels above a value.
    private static readonly JsonDocumentOptions StrictPatch = Strict with { MaxDepth = MostDepth + 2 };

    /// <summary>The property after the operations; null where they do not fit it, and why, as a sentence.</summary>
    public static byte[]? Apply(ReadOnlySpan<byte> json, ReadOnlySpan<byte> operations, out string? why)
    {
        why = null;
        try
        {
            // One that was written without escapes is written back without: it must not grow by being patched.
            why = "it is no JSON that can be patched.";
            var encoder = Ascii.IsValid(json) ? JavaScriptEncoder.Default : JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
            var root = JsonNode.Parse(json, documentOptions: Strict);
            why = null;
            foreach (var operation in Read(operations))
            {
                root = Apply(root, operation as JsonObject ?? throw new JsonException("an operation of the patch is no object."));
            }

            return Write(root, encoder);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            why ??= $"the patch does not fit it: {e.Message}";
            return null;
        }
    }

    /// <summary>How many operations it has; -1 where it is no JSON array.</summary>
    public static int Count(ReadOnlySpan<byte> operations)
    {
        try
        {
            return Read(operations).Count;
        }
        catch (JsonException)
        {
            return -1;
        }
    }

    private static JsonArray Read(ReadOnlySpan<byte> operations) =>
        JsonNode.Parse(operations, documentOptions: StrictPatch) as JsonArray
        ?? throw new JsonException("the patch is no array of operations.");

    private static JsonNode? Apply(JsonNode? root, JsonObject operation)
    {
        var pointer = TextOf(operation, "path");
        var path = Parse(pointer);
        switch (TextOf(operation, "op"))
        {
            case "add": return Add(root, path, pointer, ValueOf(operation));
            case "remove": return Remove(root, path, pointer);
            case "replace": return Replace(root, path, pointer, ValueOf(operation));
            case "test":
                return JsonNode.DeepEquals(Find(root, path, pointer), ValueOf(operation)) ? root : throw Misfit(pointer, "is another");
            default: throw new JsonException("it has an operation other than add, remove, replace and test.");
        }
    }

    private static JsonNode? Add(JsonNode? root, string[] path, string pointer, JsonNode? value)
    {
        if (path is [])
        {
            return value;
        }

        switch (Find(root, path[..^1], pointer))
        {
            case JsonObject parent:
                parent[path[^1]] = value;
                break;
            case JsonArray parent:
                parent.Insert(path[^1] == "-" ? parent.Count : Index(path[^1], parent.Count, pointer), value);
                break;
            default: throw Misfit(pointer);
        }

        return root;
    }

    private static JsonNode? Remove(JsonNode? root, string[] path, string pointer)
    {
        switch (path is [] ? null : Find(root, path[..^1], pointer))
        {
            case JsonObject parent when parent.Remove(path[^1]):
                break;
            case JsonArray parent:
                parent.RemoveAt(Index(path[^1], parent.Count - 1, pointer));
                break;
            default: throw Misfit(pointer);
        }

        return root;
    }

    private static JsonNode? Replace(JsonNode? root, string[] path, string pointer, JsonNode? value)
    {
        if (path is [])
        {
            return value;
        }

        switch (Find(root, path[..^1], pointer))
        {
            case JsonObject parent when parent.ContainsKey(path[^1]):
                parent[path[^1]] = value;
                break;
            case JsonArray parent:
                parent[Index(path[^1], parent.Count - 1, pointer)] = value;
                break;
            default: throw Misfit(pointer);
        }

        return root;
    }

    private static JsonNode? Find(JsonNode? root, string[] path, string pointer)
    {
        foreach (var name in path)
        {
            root = root switch
            {
                JsonObject parent when parent.TryGetPropertyValue(name, out var found) => found,
                JsonArray parent => parent[Index(name, parent.Count - 1, pointer)],
                _ => throw Misfit(pointer),
            };
        }

        return root;
    }

    private static int Index(string name, int last, string pointer) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && index <= last
        && (name == "0" || name[0] != '0')
            ? index
            : throw Misfit(pointer);

    private static string[] Parse(string pointer)
    {
        if (pointer.Length > 0 && pointer[0] != '/')
        {
            throw new JsonException("it has a path that does not begin with '/'.");
        }

        var path = pointer.Length == 0 ? [] : pointer[1..].Split('/', MostDepth + 1);
        if (path.Length > MostDepth)
        {
            throw new JsonException($"it has a path of more than {MostDepth} names.");
        }

        for (var i = 0; i < path.Length; i++)
        {
            if (path[i].Contains('~', StringComparison.Ordinal))
            {
                path[i] = Unescape(path[i]);
            }
        }

        return path;
    }

    private static string Unescape(string name)
    {
        var rest = name.Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal);
        return rest.Contains('~', StringComparison.Ordinal)
            ? throw new JsonException("it has a path with a '~' that is neither '~0' nor '~1'.")
            : name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
    }

    private static string TextOf(JsonObject operation, string member) =>
        operation[member] is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : throw new JsonException($"an operation has no text '{member}'.");

    private static JsonNode? ValueOf(JsonObject operation)
    {
        if (!operation.TryGetPropertyValue("value", out var value))
        {
            throw new JsonException("an operation has no 'value'.");
        }

        // A node has one parent at a time.
        operation.Remove("value");
        return value;
    }

    private static JsonException Misfit(string pointer, string how = "is not there") =>
        new($"what it changes at '{(pointer.Length > 40 ? pointer[..40] + "…" : pointer)}' {how} any more.");

    private static byte[] Write(JsonNode? root, JavaScriptEncoder encoder)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = encoder, MaxDepth = MostDepth }))
        {
            if (root is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                root.WriteTo(writer);
            }
        }

        return json.WrittenSpan.ToArray();
    }
}
