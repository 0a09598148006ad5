using System.Collections.Immutable;

namespace SessionActors;

/// <summary>The part of the overlay that changes what is inside a property, where the property is JSON.</summary>
internal sealed partial class SessionOverlay
{
    // Less than what a grain takes, so that no commit is refused for having changed too much: the whole value goes instead.
    private const int MostPatchBytes = PropertyPatch.MostBytes * 3 / 4;

    private SeenJson? _json;

    // Most requests have none.
    private SeenJson Json => _json ??= new SeenJson();

    /// <summary>The application reads the property as JSON: <see cref="Merge"/> goes from here.</summary>
    public void See(string name)
    {
        if (_current.TryGetValue(name, out var json))
        {
            Json.See(name, json, _changes.Patches.TryGetValue(name, out var patch) ? patch : (ReadOnlyMemory<byte>?)null);
        }
    }

    /// <summary>
    /// Changes a property from what the application has seen of it to this JSON, and leaves the rest of it to others; sets it as a whole
    /// where the application has not seen it or it cannot be said otherwise.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="json">What it is to be.</param>
    /// <param name="rewrite">JSON as the value's type would write it; null where it cannot be read.</param>
    public void Merge(string name, byte[] json, Func<ReadOnlyMemory<byte>, byte[]?> rewrite)
    {
        CheckName(name);
        if (!_current.ContainsKey(name) || Json.Change(name, json, rewrite) is not { } change)
        {
            Replace(name, json);
        }
        else if (_changes.Sets.ContainsKey(name) || !_base.TryGetValue(name, out var before))
        {
            Replace(name, change.Latest);
        }
        else
        {
            // Where it does not fit what a reload brought, the commit decides.
            var after = PropertyPatch.Apply(before.Span, change.Patch.Span, out _);
            if (after is not null && JsonDifference.AreSame(before, after))
            {
                Show(name, before, _changes.Patches.Remove(name));
            }
            else if (change.Patch.Length > MostPatchBytes)
            {
                Replace(name, after ?? change.Latest);
            }
            else
            {
                Show(name, after ?? change.Latest, _changes.Patches.SetItem(name, change.Patch));
            }
        }
    }

    private static ReadOnlyMemory<byte> Patched(
        ReadOnlyMemory<byte>? before,
        ReadOnlyMemory<byte> patch,
        ImmutableDictionary<string, ReadOnlyMemory<byte>> own,
        string name) =>
        (before is { } json ? PropertyPatch.Apply(json.Span, patch.Span, out _) : null) ?? own[name];

    // What the application knows from here on may be no change at all, so nothing may go on from before.
    private void Replace(string name, ReadOnlyMemory<byte> value)
    {
        Set(name, value.Span);
        Json.See(name, value, null);
    }

    private void Show(string name, ReadOnlyMemory<byte> value, ImmutableDictionary<string, ReadOnlyMemory<byte>> patches)
    {
        _current = _current.SetItem(name, value);
        Change(_changes.Sets, _changes.Removes, patches);
    }
}
