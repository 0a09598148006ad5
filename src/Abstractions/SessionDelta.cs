using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// What one request changed: everything cleared or not, then properties set, properties removed. Immutable; each method returns another
/// delta. Composing two and applying the result is the same as applying one after the other.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionDelta")]
public sealed class SessionDelta
{
    private static readonly ImmutableDictionary<string, ReadOnlyMemory<byte>> NoSets =
        ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;
    private static readonly ImmutableHashSet<string> NoRemoves = [];

    [Id(4)]
    private readonly TimeSpan? _ttl;

    /// <summary>The delta that changes nothing.</summary>
    public static readonly SessionDelta Empty = new();

    /// <summary>The version of the session that the change was made against; 0 where it was made against none.</summary>
    [Id(0)]
    public long BaseVersion { get; init; }

    /// <summary>Whether everything present when the delta is applied goes, before <see cref="Sets"/>.</summary>
    [Id(1)]
    public bool Clears { get; init; }

    /// <summary>The properties set, with their new values.</summary>
    [Id(2)]
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> Sets { get; init; } = NoSets;

    /// <summary>The properties removed; never one that is also in <see cref="Sets"/>.</summary>
    [Id(3)]
    public ImmutableHashSet<string> Removes { get; init; } = NoRemoves;

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
    public bool IsEmpty => !Clears && Sets.IsEmpty && Removes.IsEmpty && Ttl is null;

    /// <summary>This delta, and then one property set. The bytes are copied.</summary>
    /// <exception cref="ArgumentException">The name is no Unicode text: half of a surrogate pair has no UTF-8.</exception>
    public SessionDelta Set(string name, ReadOnlySpan<byte> value)
    {
        PropertyName.BytesOf(name);
        return With(Clears, Sets.SetItem(name, value.ToArray()), Removes.Remove(name), Ttl);
    }

    /// <summary>This delta, and then one property removed.</summary>
    public SessionDelta Remove(string name) =>
        With(Clears, Sets.Remove(name), Clears ? Removes : Removes.Add(name), Ttl);

    /// <summary>This delta, and then everything cleared.</summary>
    public SessionDelta Clear() => With(clears: true, NoSets, NoRemoves, Ttl);

    /// <summary>This delta, and then another idle time-out.</summary>
    public SessionDelta WithTtl(TimeSpan ttl) => With(Clears, Sets, Removes, ttl);

    /// <summary>This delta against another version of the session.</summary>
    public SessionDelta BasedOn(long version) =>
        new() { BaseVersion = version, Clears = Clears, Sets = Sets, Removes = Removes, Ttl = Ttl };

    /// <summary>This delta and then another, as one.</summary>
    public SessionDelta Then(SessionDelta next)
    {
        ArgumentNullException.ThrowIfNull(next);
        var ttl = next.Ttl ?? Ttl;
        if (next.Clears)
        {
            return With(clears: true, next.Sets, NoRemoves, ttl);
        }

        var sets = Sets.RemoveRange(next.Removes).SetItems(next.Sets);
        var removes = Clears ? NoRemoves : Removes.Except(next.Sets.Keys).Union(next.Removes);
        return With(Clears, sets, removes, ttl);
    }

    /// <summary>The properties after this delta.</summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> ApplyTo(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return Clears ? Sets : properties.RemoveRange(Removes).SetItems(Sets);
    }

    private SessionDelta With(
        bool clears, ImmutableDictionary<string, ReadOnlyMemory<byte>> sets, ImmutableHashSet<string> removes, TimeSpan? ttl) =>
        new() { BaseVersion = BaseVersion, Clears = clears, Sets = sets, Removes = removes, Ttl = ttl };
}
