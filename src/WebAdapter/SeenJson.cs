namespace SessionActors;

/// <summary>
/// What the application knows of properties that are JSON: the bytes that it read last, or wrote itself. A change is the difference from
/// there, so that what others did meanwhile, unknown to it, is none of its changes.
/// </summary>
internal sealed class SeenJson
{
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>It reads or writes a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="json">All of it.</param>
    /// <param name="patch">The patch that is under way already and made it so; null without one.</param>
    public void See(string name, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte>? patch) => _seen[name] = new Seen(json, json, patch);

    /// <summary>The property is changed as a whole.</summary>
    public void Drop(string name) => _seen.Remove(name);

    /// <summary>Nothing is known any more.</summary>
    public void Clear() => _seen.Clear();

    /// <summary>What is known by now is where the next change starts, on top of these patches.</summary>
    public void StartFrom(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> patches)
    {
        foreach (var (name, seen) in _seen)
        {
            See(name, seen.Latest, patches.TryGetValue(name, out var patch) ? patch : (ReadOnlyMemory<byte>?)null);
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
            || rewrite(seen.Start) is not { } before
            || JsonDifference.Between(seen.Start, before, json) is not { } operations
            || PropertyPatch.Apply(seen.Start.Span, operations, out _) is not { } latest
            || rewrite(latest) is not { } after
            || !JsonDifference.AreSame(after, json))
        {
            return null;
        }

        // Nothing to do leaves the text as it is.
        _seen[name] = seen with { Latest = PatchText.IsEmpty(operations) ? seen.Start : latest };
        return (PatchText.Concat(seen.Patch is { } patch ? patch.Span : "[]"u8, operations), _seen[name].Latest);
    }

    private sealed record Seen(ReadOnlyMemory<byte> Start, ReadOnlyMemory<byte> Latest, ReadOnlyMemory<byte>? Patch);
}
