namespace SessionActors.MicroBench;

/// <summary>What a session's grain makes of a delta.</summary>
internal static class StateOperations
{
    private static readonly SessionActorsOptions Limits = new();

    public static IEnumerable<PureOperation> All => SampleSession.Sizes.SelectMany(Of);

    private static IEnumerable<PureOperation> Of(int properties)
    {
        var session = new SampleSession(properties);
        var state = session.State;
        var set = session.Each(name => SessionDelta.Empty.Set(name, SampleSession.NewValue));
        var same = session.Each(name => SessionDelta.Empty.Set(name, SampleSession.Value));
        return
        [
            new("state: effective part of a set", properties, () => state.Effective(set())),
            new("state: effective part of a set to the same", properties, () => state.Effective(same())),
            new("state: apply set", properties, () => state.Apply(new Change(set()), Limits, "sample")),
        ];
    }
}
