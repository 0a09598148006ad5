using OpenTelemetry;
using OpenTelemetry.Resources;

namespace SessionActors;

/// <summary>
/// What the silo that runs alone measures, traces and logs goes to an OTLP receiver where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one.
/// OpenTelemetry's other variables count too. Applications refer to this assembly without OpenTelemetry's: nothing else may name its types.
/// </summary>
internal static class SiloExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Whether there is where to export to.</summary>
    public static bool IsAskedFor(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Endpoint]);

    public static void Add(WebApplicationBuilder builder)
    {
        builder.UseOrleans(silo => silo.AddActivityPropagation());
        var export = builder.Services.AddOpenTelemetry();
        // OTEL_SERVICE_NAME comes last, and so counts.
        export.ConfigureResource(resource => resource.AddService(builder.Environment.ApplicationName).AddEnvironmentVariableDetector());
        export.WithMetrics(metrics => metrics.AddMeter("SessionActors", "Microsoft.Orleans", "System.Runtime"));
        export.WithTracing(traces => traces.AddSource(
            "SessionActors", "Microsoft.Orleans.Application", "Microsoft.Orleans.Lifecycle", "Microsoft.Orleans.Storage"));
        export.UseOtlpExporter();
    }
}
