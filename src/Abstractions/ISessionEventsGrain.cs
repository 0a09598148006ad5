namespace SessionActors;

/// <summary>
/// What another service of the cluster implements to hear of the events of sessions: an interface of its own that derives from this one,
/// and a grain behind it in one of the service's silos. The silos that have the sessions name that interface in
/// <c>AddSessionEventsGrain</c>. What <see cref="ISessionEvents"/> says of the telling is true here too.
/// </summary>
public interface ISessionEventsGrain : IGrainWithIntegerKey
{
    /// <summary>How many grains share the work: their keys are 0 to 15.</summary>
    const int Count = 16;

    /// <summary>Something has happened to a session.</summary>
    /// <param name="happened">What.</param>
    /// <param name="cancellationToken">Is cancelled after 20 s, or when the silo that tells it stops; the event is told again then.</param>
    [Alias("OnEvent")]
    Task OnEventAsync(SessionEvent happened, CancellationToken cancellationToken);
}
