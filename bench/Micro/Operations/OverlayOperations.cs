namespace SessionActors.MicroBench;

/// <summary>What a request does to a session that it has opened.</summary>
internal static class OverlayOperations
{
    public static IEnumerable<PureOperation> All => SampleSession.Sizes.SelectMany(Of);

    private static IEnumerable<PureOperation> Of(int properties)
    {
        var session = new SampleSession(properties);
        var opened = new SessionOverlay(session.Snapshot);
        return
        [
            new("overlay: begin", properties, () => new SessionOverlay(session.Snapshot)),
            new("overlay: read", properties, () => opened.TryGetValue(session.NextName(), out var value) ? value : null),
            new("overlay: begin, set", properties, () => Set(session)),
            new("overlay: begin, set, send", properties, () => Set(session).Send()),
        ];
    }

    // In a new request each time: in one and the same there would be nothing to change any more.
    private static SessionOverlay Set(SampleSession session)
    {
        var overlay = new SessionOverlay(session.Snapshot);
        overlay.Set(session.NextName(), SampleSession.NewValue);
        return overlay;
    }
}
