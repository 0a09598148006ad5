using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>
/// An application on real Kestrel with a real silo and the embedded store in memory. The calls to its grains can be counted and made to
/// fail on their way out.
/// </summary>
internal sealed class WebSite : IOutgoingGrainCallFilter, ILoggerProvider, IAsyncDisposable
{
    private WebApplication? _app;

    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>The calls made to sessions and keys, by method.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>What the web side logged, by event id.</summary>
    public ConcurrentQueue<int> Events { get; } = new();

    /// <summary>Makes a call fail, by its method.</summary>
    public Func<string, Exception?> Failure { get; set; } = _ => null;

    public IServiceProvider Services => _app!.Services;

    public Browser NewBrowser() => new(new Uri(_app!.Urls.First()));

    public static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync();

    public static async Task<WebSite> StartAsync(
        Action<WebApplication> endpoints,
        Action<ActorSessionOptions>? configure = null,
        Action<WebApplication>? around = null,
        Action<SessionActorsOptions>? silo = null,
        bool movesGrains = false,
        Action<IServiceCollection>? services = null)
    {
        var site = new WebSite();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(site);
        builder.Configuration.AddInMemoryCollection([new("SessionActors:DataFolder", ":memory:")]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (movesGrains)
        {
            builder.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, site.Time);
        }

        builder.AddSessionSilo(silo);
        builder.UseOrleans(orleans => orleans.AddOutgoingGrainCallFilter(site));
        builder.Services.AddSingleton<ILocalSessions>(services => new OpenedOnly(services.GetRequiredService<SessionSilo>().Live));
        builder.Services.AddActorSession(options =>
        {
            options.TimeProvider = site.Time;
            configure?.Invoke(options);
        });
        services?.Invoke(builder.Services);
        builder.Services.AddResponseCompression();
        builder.Services.AddResponseCaching();
        site._app = builder.Build();
        around?.Invoke(site._app);
        site._app.UseActorSession();
        endpoints(site._app);
        await site._app.StartAsync();
        return site;
    }

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.InterfaceMethod.DeclaringType is { } type && (type == typeof(ISessionGrain) || type == typeof(ICookieKeysGrain)))
        {
            Calls.Enqueue(context.InterfaceMethod.Name);
            if (Failure(context.InterfaceMethod.Name) is { } failure)
            {
                throw failure;
            }
        }

        await context.Invoke();
    }

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName == typeof(ActorSessionMiddleware).FullName ? Events : null);

    public void Dispose()
    {
        // The container disposes its logger providers; this one holds nothing.
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    // What is changed is changed by messages here, which can be counted and made to fail.
    private sealed class OpenedOnly(LiveSessions live) : ILocalSessions
    {
        public SessionOpening? TryOpen(SessionHandle handle, in SecretHash secret, bool slide) => live.TryOpen(handle, secret, slide);

        public Task<T>? TryCall<T>(SessionHandle handle, Func<ISessionGrain, Task<T>> call) => null;

        public bool Has(SessionHandle handle) => live.Has(handle);
    }

    private sealed class Logger(ConcurrentQueue<int>? events) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => events is not null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // Formatted, so that a line which cannot be written fails its test.
            formatter(state, exception);
            events?.Enqueue(eventId.Id);
        }
    }
}
