using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SessionActors;

/// <summary>
/// Whether this silo is a member of its cluster and the store answers. The store is asked by a touch of a session that is not there: it
/// goes the way of every real step, costs as little as one, and changes nothing.
/// </summary>
internal sealed class StoreHealthCheck(ISessionStorage storage, ISiloStatusOracle silo, TimeProvider time) : IHealthCheck
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
            return reply.Outcome == StoreOutcome.Missing
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"The session store did not take a command ({reply.Outcome}).", reply.Error);
        }
        catch (TimeoutException e)
        {
            return HealthCheckResult.Unhealthy($"The session store did not answer within {Patience.TotalSeconds} s.", e);
        }
    }
}
