namespace SessionActors;

/// <summary>
/// Hears when sessions start, get a new secret and end, however they end: also when they run out while no silo has them in its memory.
/// Registered in the silos by <c>AddSessionEvents</c>, in all of them alike.
/// <para>
/// An event is told at least once per cluster, not once per silo: again where a handler threw, took too long, or its silo died meanwhile.
/// A session's events come in their order. A handler that must not do its part twice remembers <see cref="SessionEvent.Id"/>.
/// </para>
/// </summary>
public interface ISessionEvents
{
    /// <summary>A session was created.</summary>
    /// <param name="started">The session, as it is when it is told.</param>
    /// <param name="cancellationToken">Is cancelled after 20 s, or when the silo stops; the event is told again then.</param>
    Task OnStartedAsync(SessionEvent started, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session got a new secret: at a log-in, or by <c>RegenerateAsync</c>.</summary>
    /// <param name="rotated">The session, as it is when it is told.</param>
    /// <param name="cancellationToken">Is cancelled after 20 s, or when the silo stops; the event is told again then.</param>
    Task OnRotatedAsync(SessionEvent rotated, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// A session has ended. One that ran out is noticed within seconds after it can no longer be in use, which is up to a touch interval
    /// after its idle time-out.
    /// </summary>
    /// <param name="ended">The session with its last properties, and why it ended.</param>
    /// <param name="cancellationToken">Is cancelled after 20 s, or when the silo stops; the event is told again then.</param>
    Task OnEndedAsync(SessionEvent ended, CancellationToken cancellationToken) => Task.CompletedTask;
}
