namespace SessionActors;

/// <summary>
/// What the application knows of properties that are JSON: the bytes that it read last, or wrote itself. A change is the difference from
/// there, so that what others did meanwhile, unknown to it, is none of its changes.
/// </summary>
internal sealed class SeenJson
{
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>It reads or writes a property. What it has changed already and finds as it left it goes on from where it began.</summary>
    /// <param name="name">The property.</param>
    /// <param name="json">All of it.</param>
    /// <param name="patch">The patch that is under way already and made it so; null without one.</param>
    public void See(string name, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte>? patch)
    {
        if (!_seen.TryGetValue(name, out var seen) || !seen.Latest.Span.SequenceEqual(json.Span))
        {
            _seen[name] = new Seen(json, json, patch);
        }
    }

    /// <summary>The property is changed as a whole.</summary>
    public void Drop(string name) => _seen.Remove(name);

    /// <summary>Nothing is known any more.</summary>
    public void Clear() => _seen.Clear();

    /// <summary>What is known by now is where the next change starts, on top of these patches.</summary>
    public void StartFrom(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> patches)
    {
        foreach (var (name, seen) in _seen)
        {
            _seen[name] = new Seen(
                seen.Latest, seen.Latest, patches.TryGetValue(name, out var patch) ? patch : (ReadOnlyMemory<byte>?)null);
        }
    }

    /// <summary>
    /// The patch that makes a property what the application wants, with what is under way already, and the property as the application then
    /// knows it; null where only the whole value can say it.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="json">What it is to be.</param>
    /// <param name="rewrite">JSON as the value's type would write it, less what it does not know; null where it cannot be read.</param>
    public (ReadOnlyMemory<byte> Patch, ReadOnlyMemory<byte> Latest)? Change(
        string name, ReadOnlyMemory<byte> json, Func<ReadOnlyMemory<byte>, byte[]?> rewrite)
    {
        // A converter can make anything of anything, so the result is looked at once more.
        if (!_seen.TryGetValue(name, out var seen)
            || rewrite(seen.Latest) is not { } before
            || JsonDifference.Between(seen.Latest, before, json) is not { } operations
            || PropertyPatch.Apply(seen.Latest.Span, operations, out _) is not { } after
            || rewrite(after) is not { } again
            || !JsonDifference.AreSame(again, json))
        {
            return null;
        }

        // What is sent is all in one, from what was loaded: step by step, an element that was added and then changed would have an index,
        // and somebody else's may be there by then.
        var latest = PatchText.IsEmpty(operations) ? seen.Latest : after;
        var isFirst = seen.Latest.Span.SequenceEqual(seen.Start.Span);
        if ((isFirst ? operations : JsonDifference.Between(seen.Start, seen.Start, latest)) is not { } all)
        {
            return null;
        }

        _seen[name] = seen with { Latest = latest };
        return (PatchText.Concat(seen.Patch is { } patch ? patch.Span : "[]"u8, all), latest);
    }

    private sealed record Seen(ReadOnlyMemory<byte> Start, ReadOnlyMemory<byte> Latest, ReadOnlyMemory<byte>? Patch);
}
