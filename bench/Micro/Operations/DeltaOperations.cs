namespace SessionActors.MicroBench;

/// <summary>How deltas are put together and applied.</summary>
internal static class DeltaOperations
{
    public static IEnumerable<PureOperation> All => [.. Composed, .. SampleSession.Sizes.SelectMany(Applied)];

    private static IEnumerable<PureOperation> Composed
    {
        get
        {
            var session = new SampleSession(40);
            var (one, other) = (session.Sets(0, 1), session.Sets(1, 1));
            var (many, others) = (session.Sets(0, 20), session.Sets(20, 20));
            var removal = SessionDelta.Empty.Remove(session.Names[0]);
            var clear = SessionDelta.Empty.Clear();
            return
            [
                new("delta: set, then another set", null, () => one.Then(other)),
                new("delta: set, then its removal", null, () => one.Then(removal)),
                new("delta: 20 sets, then one of them again", null, () => many.Then(other)),
                new("delta: 20 sets, then 20 others", null, () => many.Then(others)),
                new("delta: 20 sets, then clear", null, () => many.Then(clear)),
            ];
        }
    }

    private static IEnumerable<PureOperation> Applied(int properties)
    {
        var session = new SampleSession(properties);
        var set = session.Each(name => SessionDelta.Empty.Set(name, SampleSession.NewValue));
        var removal = session.Each(SessionDelta.Empty.Remove);
        return
        [
            new("delta: apply set", properties, () => set().ApplyTo(session.Snapshot.Properties)),
            new("delta: apply removal", properties, () => removal().ApplyTo(session.Snapshot.Properties)),
        ];
    }
}
