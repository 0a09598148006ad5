using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// What one request changed: everything cleared or not, then properties set, properties removed, then properties patched. Immutable; each
/// method returns another delta. Composing two and applying the result is the same as applying one after the other.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionDelta")]
public sealed class SessionDelta
{
    private static readonly ImmutableDictionary<string, ReadOnlyMemory<byte>> NoSets =
        ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;
    private static readonly ImmutableHashSet<string> NoRemoves = [];

    [Id(2)]
    private readonly PropertyValues _sets;

    [Id(4)]
    private readonly TimeSpan? _ttl;

    [Id(5)]
    private readonly PropertyValues _patches;

    /// <summary>The delta that changes nothing.</summary>
    public static readonly SessionDelta Empty = new();

    /// <summary>The version of the session that the change was made against; 0 where it was made against none.</summary>
    [Id(0)]
    public long BaseVersion { get; init; }

    /// <summary>Whether everything present when the delta is applied goes, before <see cref="Sets"/>.</summary>
    [Id(1)]
    public bool Clears { get; init; }

    /// <summary>The properties set, with their new values.</summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> Sets
    {
        get => _sets.All;
        init => _sets = new PropertyValues(value);
    }

    /// <summary>The properties removed; never one that is also in <see cref="Sets"/>.</summary>
    [Id(3)]
    public ImmutableHashSet<string> Removes { get; init; } = NoRemoves;

    /// <summary>
    /// What is changed inside properties that are JSON: for each an RFC 6902 document, that is a JSON array of operations (<c>add</c>,
    /// <c>remove</c>, <c>replace</c>, <c>test</c>) as UTF-8. Applied last, to what <see cref="Sets"/> or else the session has by then.
    /// </summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> Patches
    {
        get => _patches.All;
        init => _patches = new PropertyValues(value);
    }

    /// <summary>
    /// The session's own idle time-out from now on, <see cref="MinTtl"/> to <see cref="MaxTtl"/>; null leaves it as it is.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter or longer.</exception>
    public TimeSpan? Ttl
    {
        get => _ttl;
        init
        {
            if (value is { } ttl)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(ttl, MinTtl, nameof(Ttl));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(ttl, MaxTtl, nameof(Ttl));
            }

            _ttl = value;
        }
    }

    /// <summary>The shortest idle time-out: 1 s.</summary>
    public static readonly TimeSpan MinTtl = TimeSpan.FromSeconds(1);

    /// <summary>The longest idle time-out: 3,650 days. Past ten years nobody means it, and stores calculate in milliseconds.</summary>
    public static readonly TimeSpan MaxTtl = TimeSpan.FromDays(3650);

    /// <summary>Whether the delta changes nothing.</summary>
    public bool IsEmpty => !Clears && Sets.IsEmpty && Removes.IsEmpty && Patches.IsEmpty && Ttl is null;

    /// <summary>This delta, and then one property set. The bytes are copied.</summary>
    /// <exception cref="ArgumentException">The name is no Unicode text: half of a surrogate pair has no UTF-8.</exception>
    public SessionDelta Set(string name, ReadOnlySpan<byte> value)
    {
        PropertyName.BytesOf(name);
        return With(Clears, Sets.SetItem(name, value.ToArray()), Removes.Remove(name), Patches.Remove(name), Ttl);
    }

    /// <summary>This delta, and then one property removed.</summary>
    public SessionDelta Remove(string name) =>
        With(Clears, Sets.Remove(name), Clears ? Removes : Removes.Add(name), Patches.Remove(name), Ttl);

    /// <summary>
    /// This delta, and then a change inside one property that is JSON, after those that it has already. A commit whose operations do not
    /// fit the property by then, because what they change is gone or a <c>test</c> fails, is refused with
    /// <see cref="SessionConflictException"/>. The bytes are copied.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="operations">
    /// A JSON array of RFC 6902 operations <c>add</c>, <c>remove</c>, <c>replace</c> and <c>test</c>, as UTF-8; at most 4,096 of them and
    /// 128 KiB. An empty array is no change.
    /// </param>
    /// <exception cref="ArgumentException">The operations are no JSON array, or the name is no Unicode text.</exception>
    public SessionDelta Patch(string name, ReadOnlySpan<byte> operations)
    {
        PropertyName.BytesOf(name);
        return PatchText.IsEmpty(operations)
            ? this
            : With(Clears, Sets, Removes, Patched(Patches, name, operations.ToArray()), Ttl);
    }

    /// <summary>This delta, and then everything cleared.</summary>
    public SessionDelta Clear() => With(clears: true, NoSets, NoRemoves, NoSets, Ttl);

    /// <summary>This delta, and then another idle time-out.</summary>
    public SessionDelta WithTtl(TimeSpan ttl) => With(Clears, Sets, Removes, Patches, ttl);

    /// <summary>This delta against another version of the session.</summary>
    public SessionDelta BasedOn(long version) =>
        new() { BaseVersion = version, Clears = Clears, Sets = Sets, Removes = Removes, Patches = Patches, Ttl = Ttl };

    /// <summary>This delta and then another, as one.</summary>
    public SessionDelta Then(SessionDelta next)
    {
        ArgumentNullException.ThrowIfNull(next);
        var ttl = next.Ttl ?? Ttl;
        if (next.Clears)
        {
            return With(clears: true, next.Sets, NoRemoves, next.Patches, ttl);
        }

        var sets = next.SetAll(next.Removes.IsEmpty ? Sets : Sets.RemoveRange(next.Removes));
        var removes = Clears ? NoRemoves : Removes.IsEmpty ? next.Removes : Removes.Except(next.Sets.Keys).Union(next.Removes);
        var patches = Patches.IsEmpty ? Patches : Patches.RemoveRange(next.Removes).RemoveRange(next.Sets.Keys);
        foreach (var (name, operations) in next.Patches)
        {
            patches = Patched(patches, name, operations);
        }

        return With(Clears, sets, removes, patches, ttl);
    }

    /// <summary>The properties after this delta.</summary>
    /// <exception cref="InvalidOperationException">It has <see cref="Patches"/>, which only the session itself applies.</exception>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> ApplyTo(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties) =>
        ApplyTo(properties, (_, _, _) => throw new InvalidOperationException(
            "The delta has patches, which are applied where the session is. Commit it and read the session instead."));

    /// <summary>The properties after this delta.</summary>
    /// <param name="properties">The properties before it.</param>
    /// <param name="patch">A property after a patch, given its name, its value before (null where there is none) and the patch.</param>
    internal ImmutableDictionary<string, ReadOnlyMemory<byte>> ApplyTo(
        ImmutableDictionary<string, ReadOnlyMemory<byte>> properties,
        Func<string, ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> patch)
    {
        ArgumentNullException.ThrowIfNull(properties);
        var after = Clears ? Sets : SetAll(Removes.IsEmpty ? properties : properties.RemoveRange(Removes));
        foreach (var (name, operations) in Patches)
        {
            after = after.SetItem(name, patch(name, Value(after, name), operations));
        }

        return after;
    }

    /// <summary>This delta with other sets, which have its patches in them.</summary>
    internal SessionDelta WithPatchesIn(ImmutableDictionary<string, ReadOnlyMemory<byte>> sets) => With(Clears, sets, Removes, NoSets, Ttl);

    // Nearly always one, for which a bulk operation costs more than it saves.
    private ImmutableDictionary<string, ReadOnlyMemory<byte>> SetAll(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties)
    {
        if (Sets.Count != 1)
        {
            return properties.SetItems(Sets);
        }

        foreach (var (name, value) in Sets)
        {
            properties = properties.SetItem(name, value);
        }

        return properties;
    }

    private static ImmutableDictionary<string, ReadOnlyMemory<byte>> Patched(
        ImmutableDictionary<string, ReadOnlyMemory<byte>> patches, string name, ReadOnlyMemory<byte> operations) =>
        patches.SetItem(name, patches.TryGetValue(name, out var before) ? PatchText.Concat(before.Span, operations.Span) : operations);

    // The cast matters: a bare null would become the empty bytes.
    private static ReadOnlyMemory<byte>? Value(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties, string name) =>
        properties.TryGetValue(name, out var value) ? value : (ReadOnlyMemory<byte>?)null;

    private SessionDelta With(
        bool clears,
        ImmutableDictionary<string, ReadOnlyMemory<byte>> sets,
        ImmutableHashSet<string> removes,
        ImmutableDictionary<string, ReadOnlyMemory<byte>> patches,
        TimeSpan? ttl) =>
        new() { BaseVersion = BaseVersion, Clears = clears, Sets = sets, Removes = removes, Patches = patches, Ttl = ttl };
}
