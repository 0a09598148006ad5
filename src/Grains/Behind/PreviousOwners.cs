using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace SessionActors;

/// <summary>
/// Asks whoever owned a session, and did not hand it over, to store what it has acknowledged. Orleans may have lost an activation from its
/// directory, or taken it for dead, while it lives and has changes in its memory. Where it does not answer, the claim goes on: it fences
/// the previous owner, who notices and claims the session back for as long as it needs to store them.
/// </summary>
internal sealed class PreviousOwners(
    IServiceProvider services, OwnerNames names, ILocalSiloDetails here, ILogger<PreviousOwners> logger)
    : GrainServiceClient<IHandOver>(services)
{
    // Half of what callers wait, so that they have theirs from the next owner still.
    private static readonly TimeSpan LongestWait = SessionRequest.DefaultPatience / 2;

    /// <summary>Before a claim.</summary>
    public async Task AskAsync(SessionHandle handle, SessionOwner claimant, SessionSilo silo)
    {
        if ((await claimant.PeekAsync()).Mark is not { Released: false } mark || !names.IsInOwnCluster(mark.OwnerName)
            || mark.Owner == claimant.Nonce)
        {
            return;
        }

        try
        {
            var owner = names.SiloOf(mark.OwnerName);
            var leaving = owner.Equals(here.SiloAddress) ? silo.Live.WithAsync(handle, activation => activation.HandOverAsync(claimant))
                : IsAlive(mark.OwnerName) ? GetGrainService(owner).LeaveAsync(handle)
                : Task.FromResult(false);
            silo.Metrics.OnHandOver(await leaving.WaitAsync(LongestWait, silo.Time) ? "done" : "not there");
        }
        catch (Exception e)
        {
            silo.Metrics.OnHandOver("unanswered");
            GrainLog.NotHandedOver(logger, handle.LogName, mark.OwnerName, e);
        }
    }

    // One that is dead has nothing in its memory any more.
    private bool IsAlive(string owner) => names.StatusOf(owner)
        is SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;
}
