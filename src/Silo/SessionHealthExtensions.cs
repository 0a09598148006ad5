using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Shows the health of a silo with sessions.</summary>
public static class SessionHealthExtensions
{
    /// <summary>The tag of the checks that <c>/health/ready</c> runs.</summary>
    private const string ReadyTag = "ready";

    private const string Check = "SessionActors";

    /// <summary>
    /// Adds the check whether the silo is active in its cluster, the session store answers, and reads may be answered from memory (else
    /// it is degraded), under the tag <c>ready</c>. <c>AddSessionSilo</c> has done so; for <c>ISiloBuilder.AddSessionActors</c>.
    /// </summary>
    public static IHealthChecksBuilder AddSessionActors(this IHealthChecksBuilder checks)
    {
        ArgumentNullException.ThrowIfNull(checks);
        return checks.AddCheck<StoreHealthCheck>(Check, tags: [ReadyTag]);
    }

    /// <summary>
    /// Maps <c>/health/live</c>, which answers 200 while the process serves requests, and <c>/health/ready</c>, which answers 200 while the
    /// silo is active and the session store answers, else 503. The application's own checks join the second with the tag <c>ready</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The check was not added: the second would always say that all is well.</exception>
    public static IEndpointRouteBuilder MapSessionHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations
            .Any(check => check.Name == Check))
        {
            throw new InvalidOperationException(
                "MapSessionHealth finds no health check of sessions. Call builder.AddSessionSilo(), or, with a silo of your own, "
                + "builder.Services.AddHealthChecks().AddSessionActors().");
        }

        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag) });
        return endpoints;
    }
}
