using System.Collections.Immutable;

namespace SessionActors.MicroBench;

/// <summary>
/// A session of so many properties, 32 bytes each, every one of which has been changed since it was loaded.
/// <para>
/// Immutable dictionaries are trees by the hash codes of names, and these are others in every process. Names that are put in by the order
/// of their hash codes make the same tree each time, and taking them in turn makes the same number of steps in it.
/// </para>
/// </summary>
internal sealed class SampleSession
{
    /// <summary>How many properties a session has that is small, usual or as large as they come.</summary>
    public static readonly ImmutableArray<int> Sizes = [1, 20, 1000];

    private static readonly byte[] Before = [.. Enumerable.Repeat((byte)1, 32)];
    private static readonly byte[] After = [.. Enumerable.Repeat((byte)2, 32)];

    private uint _turn;

    public SampleSession(int properties)
    {
        Names =
        [
            .. Enumerable.Range(0, int.MaxValue).Select(i => $"property-{i:0000}")
                .DistinctBy(SessionDelta.Empty.Sets.KeyComparer.GetHashCode).Take(properties)
                .OrderBy(SessionDelta.Empty.Sets.KeyComparer.GetHashCode),
        ];
        var limits = new SessionActorsOptions();
        var created = SessionState.Empty(limits.Ttl, secret: null).Apply(new Change(SessionDelta.Empty), limits, "sample");
        State = Names.Aggregate(
            created, (state, name) => state.Apply(new Change(SessionDelta.Empty.Set(name, Before)), limits, "sample"));
        Snapshot = State.Opening.Snapshot!;
    }

    /// <summary>The names of its properties, in the order of their places in the tree.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>The session as its grain has it.</summary>
    public SessionState State { get; }

    /// <summary>The session as a request opens it.</summary>
    public SessionSnapshot Snapshot { get; }

    /// <summary>The value that every property has.</summary>
    public static ReadOnlySpan<byte> Value => Before;

    /// <summary>A value that no property has.</summary>
    public static ReadOnlySpan<byte> NewValue => After;

    /// <summary>Each of the names in turn.</summary>
    public string NextName() => InTurn(Names);

    /// <summary>What is made of each name, each in turn.</summary>
    public Func<T> Each<T>(Func<string, T> make)
    {
        ImmutableArray<T> made = [.. Names.Select(make)];
        return () => InTurn(made);
    }

    /// <summary>A delta that gives some of the properties a new value.</summary>
    public SessionDelta Sets(int first, int count) =>
        Names.AsSpan(first, count).ToArray().Aggregate(SessionDelta.Empty, (delta, name) => delta.Set(name, NewValue));

    private T InTurn<T>(ImmutableArray<T> all) => all[(int)(_turn++ % (uint)all.Length)];
}
