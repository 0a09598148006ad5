using System.Buffers;
using System.Text.Json;

namespace SessionActors;

/// <summary>
/// What changed inside a JSON document, as RFC 6902 operations that are meant for what the document has become meanwhile.
/// <para>
/// Members: a changed one is added, which replaces what is there or not there any more; a removed one is added and removed. So of two
/// changes of one member the last wins, and only where the object around it is gone the operations do not fit.
/// </para>
/// <para>
/// Arrays: elements that come at either end are added there. Any other change is made by index, and only if the element there is still the
/// same one, which <c>test</c> operations ask: by its id where it has one, else by its texts that stay, else by all of it. What cannot be
/// told that way (values that are no objects, another order, elements that come in the middle) replaces the array.
/// </para>
/// </summary>
internal sealed class JsonDifference
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private static readonly JsonElement Null = JsonElement.Parse("null"u8);

    private readonly ArrayBufferWriter<byte> _operations = new();
    private readonly Utf8JsonWriter _writer;

    private JsonDifference() => _writer = new Utf8JsonWriter(_operations);

    /// <summary>The operations; null where only the whole document can say it.</summary>
    /// <param name="loaded">The document as it was loaded.</param>
    /// <param name="before">The same, without what the type does not know: what it does not know cannot have been changed.</param>
    /// <param name="after">The document now.</param>
    public static byte[]? Between(ReadOnlyMemory<byte> loaded, ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
    {
        try
        {
            using var from = JsonDocument.Parse(loaded, Strict);
            using var known = JsonDocument.Parse(before, Strict);
            using var to = JsonDocument.Parse(after, Strict);
            return new JsonDifference().Between(from.RootElement, known.RootElement, to.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether two documents are the same but for white space and the order of members; 1.0 is not 1.00.</summary>
    public static bool AreSame(ReadOnlyMemory<byte> one, ReadOnlyMemory<byte> other)
    {
        if (one.Span.SequenceEqual(other.Span))
        {
            return true;
        }

        using var first = JsonDocument.Parse(one);
        using var second = JsonDocument.Parse(other);
        return JsonText.AreSame(first.RootElement, second.RootElement);
    }

    private byte[] Between(JsonElement loaded, JsonElement before, JsonElement after)
    {
        using (_writer)
        {
            _writer.WriteStartArray();
            Compare("", "replace", loaded, before, after);
            _writer.WriteEndArray();
        }

        return _operations.WrittenSpan.ToArray();
    }

    private void Compare(string path, string how, JsonElement loaded, JsonElement before, JsonElement after)
    {
        if (JsonText.AreSame(before, after))
        {
            return;
        }

        var kind = after.ValueKind;
        if (loaded.ValueKind != kind || before.ValueKind != kind || !CompareInside(path, loaded, before, after))
        {
            if (path.Length == 0)
            {
                throw Untold("The root is another value.");
            }

            Write(how, path, after);
        }
    }

    private bool CompareInside(string path, JsonElement loaded, JsonElement before, JsonElement after) => after.ValueKind switch
    {
        JsonValueKind.Object => CompareMembers(path, JsonText.MembersOf(loaded), JsonText.MembersOf(before), JsonText.MembersOf(after)),
        JsonValueKind.Array => CompareElements(path, JsonText.ElementsOf(loaded), JsonText.ElementsOf(before), JsonText.ElementsOf(after)),
        _ => false,
    };

    private bool CompareMembers(
        string path,
        Dictionary<string, JsonElement> loaded,
        Dictionary<string, JsonElement> before,
        Dictionary<string, JsonElement> after)
    {
        foreach (var (name, value) in after)
        {
            if (before.TryGetValue(name, out var old) && loaded.TryGetValue(name, out var stored))
            {
                Compare(JsonText.Below(path, name), "add", stored, old, value);
            }
            else if (!before.ContainsKey(name) || !JsonText.AreSame(old, value))
            {
                RefuseOtherCase(loaded, before, name);
                Write("add", JsonText.Below(path, name), value);
            }
        }

        foreach (var (name, value) in before.Where(member => !after.ContainsKey(member.Key)))
        {
            RefuseOtherCase(loaded, before, name);
            if (loaded.ContainsKey(name))
            {
                // Somebody else may have removed it too, and a remove alone would not fit then.
                Write("add", JsonText.Below(path, name), Null);
                Write("remove", JsonText.Below(path, name));
            }
        }

        return true;
    }

    // False where it takes the whole array to say what changed.
    private bool CompareElements(string path, JsonElement[] loaded, JsonElement[] before, JsonElement[] after)
    {
        if (after.Length > before.Length)
        {
            if (JsonText.AreSame(before, after.AsSpan(..before.Length)))
            {
                Append(path, after[before.Length..]);
                return true;
            }

            if (JsonText.AreSame(before, after.AsSpan(^before.Length..)))
            {
                Prepend(path, after[..^before.Length]);
                return true;
            }
        }

        if (after.Length == 0 || loaded.Length != before.Length || !loaded.Concat(before).Concat(after).All(JsonText.IsObject))
        {
            return false;
        }

        if (ElementIdentity.Find(loaded, before, after) is { } identity)
        {
            return CompareByIdentity(path, identity, loaded, before, after);
        }

        if (before.Length != after.Length)
        {
            return false;
        }

        for (var i = 0; i < after.Length; i++)
        {
            if (!JsonText.AreSame(before[i], after[i]))
            {
                Write("test", $"{path}/{i}", loaded[i]);
                Compare($"{path}/{i}", "replace", loaded[i], before[i], after[i]);
            }
        }

        return true;
    }

    private bool CompareByIdentity(string path, ElementIdentity identity, JsonElement[] loaded, JsonElement[] before, JsonElement[] after)
    {
        // The elements that stay must be in the order they had, in one piece.
        var places = identity.PlacesOf(after, before);
        var first = Array.FindIndex(places, place => place >= 0);
        var last = Array.FindLastIndex(places, place => place >= 0);
        if (first < 0 || !places[first..last].Zip(places[(first + 1)..(last + 1)]).All(pair => pair.First >= 0 && pair.First < pair.Second))
        {
            return false;
        }

        var staying = places.ToHashSet();
        for (var i = before.Length - 1; i >= 0; i--)
        {
            if (!staying.Contains(i))
            {
                Test($"{path}/{i}", identity.Marks(loaded[i], before[i], null));
                Write("remove", $"{path}/{i}");
            }
        }

        for (var i = first; i <= last; i++)
        {
            var (stored, old) = (loaded[places[i]], before[places[i]]);
            if (!JsonText.AreSame(old, after[i]))
            {
                Test($"{path}/{i - first}", identity.Marks(stored, old, after[i]));
                Compare($"{path}/{i - first}", "replace", stored, old, after[i]);
            }
        }

        Prepend(path, after[..first]);
        Append(path, after[(last + 1)..]);
        return true;
    }

    private void Append(string path, JsonElement[] elements) => Array.ForEach(elements, element => Write("add", $"{path}/-", element));

    private void Prepend(string path, JsonElement[] elements)
    {
        for (var i = elements.Length - 1; i >= 0; i--)
        {
            Write("add", $"{path}/0", elements[i]);
        }
    }

    private void Test(string path, IEnumerable<KeyValuePair<string, JsonElement>> marks)
    {
        foreach (var (name, value) in marks)
        {
            Write("test", JsonText.Below(path, name), value);
        }
    }

    private void Write(string operation, string path, JsonElement? value = null)
    {
        _writer.WriteStartObject();
        _writer.WriteString("op", operation);
        _writer.WriteString("path", path);
        if (value is { } json)
        {
            _writer.WritePropertyName("value");
            json.WriteTo(_writer);
        }

        _writer.WriteEndObject();
    }

    // Read without regard to case, "Coupon" is what the type writes as "coupon": one next to the other would say two things.
    private static void RefuseOtherCase(Dictionary<string, JsonElement> loaded, Dictionary<string, JsonElement> before, string name)
    {
        if (!loaded.ContainsKey(name)
            && loaded.Keys.Any(other => other.Equals(name, StringComparison.OrdinalIgnoreCase) && !before.ContainsKey(other)))
        {
            throw Untold("A name is spelled in another case than it was loaded.");
        }
    }

    private static JsonException Untold(string why) => new(why);
}
