using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <inheritdoc cref="IHandOver"/>
internal sealed class HandOver(GrainId id, Silo silo, ILoggerFactory loggers, SessionSilo sessions)
    : GrainService(id, silo, loggers), IHandOver
{
    public Task<bool> LeaveAsync(SessionHandle handle) => sessions.Live.WithAsync(handle, activation => activation.HandOverAsync());
}
