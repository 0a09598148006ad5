using System.Collections.Immutable;

namespace SessionActors;

/// <summary>What a call to a session does.</summary>
internal enum SessionCallKind
{
    /// <summary>Creates it with <see cref="SessionCall.Sets"/>.</summary>
    Create,

    /// <summary>Clears, sets and removes, all or nothing.</summary>
    Commit,

    /// <summary>Reads everything, or the property <see cref="SessionCall.Name"/>.</summary>
    Read,

    /// <summary>Adds <see cref="SessionCall.Value"/> to a number; answers the sum.</summary>
    Increment,

    /// <summary>Removes a property; answers what it was.</summary>
    Take,

    /// <summary>Sets a property that is as expected; answers <c>1</c> or <c>0</c>.</summary>
    CompareAndSet,

    /// <summary>Changes the secret; answers its generation.</summary>
    Regenerate,

    /// <summary>Ends it for good.</summary>
    Destroy,
}

/// <summary>A call to a session, and its answer. Values are texts; null stands for a property that is not there.</summary>
internal sealed record SessionCall(SessionCallKind Kind)
{
    public string? Name { get; init; }

    public string? Value { get; init; }

    public string? Expected { get; init; }

    public bool Clears { get; init; }

    public ImmutableSortedDictionary<string, string> Sets { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<string> Removes { get; init; } = [];

    /// <summary>The generation of the secret that it was made under; null where it does not matter.</summary>
    public int? Generation { get; init; }

    /// <summary>The answer, where there is one besides that it was done.</summary>
    public string? Answer { get; init; }

    /// <summary>The answer of a read of everything.</summary>
    public ImmutableSortedDictionary<string, string>? Seen { get; init; }

    /// <summary>Whether the answer was that the session is not there.</summary>
    public bool IsGone { get; init; }

    /// <summary>Whether the answer was that the secret is an old one.</summary>
    public bool IsSuperseded { get; init; }

    public static SessionCall Create(params (string Name, string Value)[] sets) => With(new(SessionCallKind.Create), sets);

    public static SessionCall Set(params (string Name, string Value)[] sets) => With(new(SessionCallKind.Commit), sets);

    public static SessionCall Remove(params string[] names) => new(SessionCallKind.Commit) { Removes = [.. names] };

    public static SessionCall Clear() => new(SessionCallKind.Commit) { Clears = true };

    public static SessionCall Read(string? name = null) => new(SessionCallKind.Read) { Name = name };

    public static SessionCall Increment(string name, long by = 1) => new(SessionCallKind.Increment) { Name = name, Value = $"{by}" };

    public static SessionCall Take(string name) => new(SessionCallKind.Take) { Name = name };

    public static SessionCall CompareAndSet(string name, string? expected, string? value) =>
        new(SessionCallKind.CompareAndSet) { Name = name, Expected = expected, Value = value };

    public static SessionCall Regenerate() => new(SessionCallKind.Regenerate);

    public static SessionCall Destroy() => new(SessionCallKind.Destroy);

    public override string ToString()
    {
        var what = Kind switch
        {
            SessionCallKind.Create => $"create {Text(Sets)}",
            SessionCallKind.Commit => $"commit{(Clears ? " clear" : "")}{(Sets.IsEmpty ? "" : $" set {Text(Sets)}")}"
                + (Removes.IsEmpty ? "" : $" remove {string.Join(',', Removes)}"),
            SessionCallKind.Read => $"read {Name}",
            SessionCallKind.Increment => $"add {Value} to {Name}",
            SessionCallKind.Take => $"take {Name}",
            SessionCallKind.CompareAndSet => $"set {Name} from {Expected ?? "nothing"} to {Value ?? "nothing"}",
            SessionCallKind.Regenerate => "regenerate",
            _ => "destroy",
        };
        var answer = IsGone ? "gone" : IsSuperseded ? "superseded" : Seen is not null ? Text(Seen) : Answer ?? "";
        return $"{what}{(Generation is { } generation ? $" (generation {generation})" : "")} -> {answer}";
    }

    private static SessionCall With(SessionCall call, (string Name, string Value)[] sets) =>
        call with { Sets = sets.ToImmutableSortedDictionary(set => set.Name, set => set.Value, StringComparer.Ordinal) };

    private static string Text(ImmutableSortedDictionary<string, string> values) =>
        $"{{{string.Join(' ', values.Select(value => $"{value.Key}={value.Value}"))}}}";
}
