using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>A receiver of what applications export by OTLP over HTTP. It takes everything and keeps it as it came.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Signal, string Text)> _received = new();

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>What tells an application to export here, and soon.</summary>
    public string[] Environment =>
    [
        $"OTEL_EXPORTER_OTLP_ENDPOINT={_app.Urls.Single()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL=200", "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_BLRP_SCHEDULE_DELAY=100",
    ];

    /// <summary>All that came of one signal: <c>metrics</c>, <c>traces</c> or <c>logs</c>. Names are in it as text.</summary>
    public string Of(string signal) => string.Concat(_received.Where(part => part.Signal == signal).Select(part => part.Text));

    public string All => string.Concat(_received.Select(part => part.Text));

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/{signal}", receiver.TakeAsync);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until all of this has come.</summary>
    public Task ReceivedAsync(string signal, params string[] names) => Until.TrueAsync(
        () => names.All(name => Of(signal).Contains(name, StringComparison.Ordinal)), $"of {signal} came {string.Join(", ", names)}");

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        // Byte by byte, so that what is no text can be looked for too.
        _received.Enqueue(((string)http.GetRouteValue("signal")!, Encoding.Latin1.GetString(body.ToArray())));
    }
}
