using Microsoft.AspNetCore.Diagnostics.HealthChecks;

namespace SessionActors;

/// <summary>Shows the health of a silo that <c>AddSessionSilo</c> added.</summary>
public static class SessionHealthExtensions
{
    /// <summary>The tag of the checks that <c>/health/ready</c> runs.</summary>
    internal const string ReadyTag = "ready";

    /// <summary>
    /// Maps <c>/health/live</c>, which answers 200 while the process serves requests, and <c>/health/ready</c>, which answers 200 while the
    /// silo is active and the session store answers, else 503. The application's own checks join the second with the tag <c>ready</c>.
    /// </summary>
    public static IEndpointRouteBuilder MapSessionHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag) });
        return endpoints;
    }
}
