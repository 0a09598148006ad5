using Microsoft.AspNetCore.Authentication;
using OpenTelemetry;
using Orleans.Dashboard;

namespace SessionActors.Devices;

/// <summary>What operators see of this application. All of it is off unless the configuration turns it on.</summary>
internal static class Seeing
{
    /// <summary>Metrics and traces go to the OTLP receiver that <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names.</summary>
    public static void AddExport(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("SessionActors", "Microsoft.Orleans", "Microsoft.AspNetCore.*", "System.Runtime"))
            .WithTracing(traces => traces.AddSource("SessionActors", "Microsoft.Orleans.Application", "Microsoft.AspNetCore"))
            .UseOtlpExporter();
        // Without it a call to a grain, and what the silo does for it, are no part of the request's trace.
        builder.UseOrleans(silo => silo.AddActivityPropagation());
    }

    /// <summary>Orleans' dashboard, for whoever knows the password that is configured.</summary>
    public static void AddDashboard(this WebApplicationBuilder builder)
    {
        if (OperatorAuthentication.IsOn(builder.Configuration))
        {
            builder.UseOrleans(silo => silo.AddDashboard(dashboard => dashboard.HideTrace = true));
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, OperatorAuthentication>(
                OperatorAuthentication.Name, configureOptions: null);
        }
    }

    public static void MapDashboard(this WebApplication app)
    {
        if (OperatorAuthentication.IsOn(app.Configuration))
        {
            app.MapOrleansDashboard("/dashboard")
                .RequireAuthorization(policy => policy
                    .AddAuthenticationSchemes(OperatorAuthentication.Name).RequireAuthenticatedUser())
                .WithSessionAccess(SessionAccess.None)
                // It calls a grain's methods for what they answer. Nobody is to see what that may be.
                .AddEndpointFilter(async (call, next) =>
                    call.HttpContext.Request.Path.StartsWithSegments("/dashboard/GrainState") ? Results.NotFound() : await next(call));
        }
    }
}
