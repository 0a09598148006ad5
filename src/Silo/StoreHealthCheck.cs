using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SessionActors;

/// <summary>
/// Whether this silo is a member of its cluster and the store answers. The store is asked by a touch of a session that is not there: it
/// goes the way of every real step, costs as little as one, and changes nothing. Degraded while the silo cannot prove that it may answer
/// reads from memory: every read is then one command.
/// </summary>
internal sealed class StoreHealthCheck(
    ISessionStorage storage, ISiloStatusOracle silo, ServingLease serving, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (silo.CurrentStatus != SiloStatus.Active)
        {
            return HealthCheckResult.Unhealthy($"The silo is {silo.CurrentStatus}.");
        }

        try
        {
            var reply = await storage.TouchAsync(SessionHandle.New(), OwnerNonce.New(), version: 1, Patience)
                .WaitAsync(Patience, time, cancellationToken);
            if (reply.Outcome == StoreOutcome.Missing)
            {
                return serving.IsHeld || !serving.IsOn
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Degraded("The silo cannot prove that it may answer reads from memory.");
            }

            return HealthCheckResult.Unhealthy($"The session store did not take a command ({reply.Outcome}).", reply.Error);
        }
        catch (TimeoutException e)
        {
            return HealthCheckResult.Unhealthy($"The session store did not answer within {Patience.TotalSeconds} s.", e);
        }
    }
}
