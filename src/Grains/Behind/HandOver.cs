using Microsoft.Extensions.Logging.Abstractions;

namespace SessionActors;

/// <inheritdoc cref="IHandOver"/>
// What Orleans logs of every grain service, its range of a ring, means nothing here: it is called by its silo's address.
internal sealed class HandOver(GrainId id, Silo silo, SessionSilo sessions)
    : GrainService(id, silo, NullLoggerFactory.Instance), IHandOver
{
    public Task<bool> LeaveAsync(SessionHandle handle) => sessions.Live.WithAsync(handle, activation => activation.HandOverAsync());
}
