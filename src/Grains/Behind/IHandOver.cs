using Orleans.Services;

namespace SessionActors;

/// <summary>What a silo is asked by another one that is to have a session: its grain cannot be called, since it is theirs.</summary>
[Alias("SessionActors.IHandOver")]
internal interface IHandOver : IGrainService
{
    /// <summary>Stores what is acknowledged of a session and lets go of it. False where it is not in this silo's memory.</summary>
    [Alias("Leave")]
    Task<bool> LeaveAsync(SessionHandle handle);
}
