using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Registers what <c>UseActorSession</c> needs.</summary>
public static class ActorSessionServiceCollectionExtensions
{
    private const string Section = "SessionActors";

    /// <summary>
    /// Adds sessions that are actors. The application needs a silo or an Orleans client besides: <c>AddSessionSilo</c>, or
    /// <c>UseOrleansClient</c>. Called again it only applies the delegate.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options after the configuration section <c>SessionActors</c> was read.</param>
    public static IServiceCollection AddActorSession(this IServiceCollection services, Action<ActorSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (!services.Any(service => service.ServiceType == typeof(SessionDoor)))
        {
            services.AddLogging();
            services.AddMetrics();
            services.AddOptions<ActorSessionOptions>().BindConfiguration(Section).ValidateOnStart();
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<ActorSessionOptions>, ActorSessionOptionsValidator>());
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<ActorSessionOptions>, ConfiguredTimes<ActorSessionOptions>>());
            services.AddSingleton<SessionDoor>();
            FollowSignIns(services);
        }

        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }

    /// <summary>
    /// Keeps the tickets of cookie authentication in sessions: the browser gets a key instead of all that the ticket says, and a ticket
    /// that is ended, with its user's sessions for instance, is ended at every server. The scheme is the one that the session follows
    /// (<see cref="ActorSessionOptions.SignInScheme"/>).
    /// <para>
    /// Call <c>UseAuthentication()</c> yourself, after <c>UseActorSession()</c>. Where it runs before, as it does by itself where nobody
    /// calls it, a ticket out of reach is 500 instead of 503, since who a visitor is nobody guesses: whatever <c>OnUnavailable</c> says.
    /// </para>
    /// </summary>
    public static IServiceCollection AddActorTicketStore(this IServiceCollection services)
    {
        services.AddActorSession();
        services.TryAddSingleton<ActorTicketStore>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<CookieAuthenticationOptions>, TicketStoreOfScheme>());
        return services;
    }

    /// <summary>
    /// For an application that keeps ASP.NET Core's own <c>AddSession()</c> and <c>UseSession()</c>, with its cookie: its sessions are
    /// actors all the same. Requests that change different properties all keep theirs, a read costs no command to the store, and only what
    /// changed is written. To be called before or after <c>AddSession()</c>, whose <c>IdleTimeout</c> and <c>IOTimeout</c> apply; right
    /// after <c>UseSession()</c> belongs <c>UseActorSessionStore()</c>. The application needs a silo or an Orleans client besides, as with
    /// <see cref="AddActorSession"/>.
    /// <para>
    /// <c>ISession.Id</c> is the session's handle, by which services call <see cref="ISessionGrain"/>, to end it for instance. What the
    /// middleware does not do, <c>UseActorSession</c> alone has: it commits when the page has gone out already, so that a change that could
    /// not be stored is only logged, and the next request may come before it; and its key is never another one. There is no
    /// <see cref="IActorSession"/>.
    /// </para>
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <exception cref="InvalidOperationException">At the start of the pipeline: there is neither a silo nor an Orleans client.</exception>
    public static IServiceCollection AddActorSessionStore(this IServiceCollection services)
    {
        services.AddActorSession();
        return services.Replace(ServiceDescriptor.Singleton<ISessionStore>(provider =>
            provider.GetService<IGrainFactory>() is not null
                ? new ActorSessionStore(provider.GetRequiredService<SessionDoor>())
                : throw new InvalidOperationException(
                    $"{nameof(AddActorSessionStore)} {ActorSessionApplicationBuilderExtensions.NoGrains}")));
    }

    // Added before or after authentication: what is there is wrapped, and where nothing is, AddAuthentication leaves this one alone.
    private static void FollowSignIns(IServiceCollection services)
    {
        var own = services.LastOrDefault(service => service.ServiceType == typeof(IAuthenticationService) && !service.IsKeyedService);
        if (own is not null)
        {
            services.Remove(own);
        }

        services.AddScoped<IAuthenticationService>(provider => ActivatorUtilities.CreateInstance<SessionSignIn>(
            provider, InnerOf(provider, own)));
    }

    private static IAuthenticationService InnerOf(IServiceProvider provider, ServiceDescriptor? own) => (IAuthenticationService)(
        own?.ImplementationInstance
        ?? own?.ImplementationFactory?.Invoke(provider)
        ?? ActivatorUtilities.CreateInstance(provider, own?.ImplementationType ?? typeof(AuthenticationService)));

    private sealed class TicketStoreOfScheme(
        ActorTicketStore store, IOptions<ActorSessionOptions> options, IOptions<AuthenticationOptions> authentication)
        : IPostConfigureOptions<CookieAuthenticationOptions>
    {
        public void PostConfigure(string? name, CookieAuthenticationOptions cookie)
        {
            var own = options.Value.SignInScheme ?? authentication.Value.DefaultAuthenticateScheme ?? authentication.Value.DefaultScheme;
            if (name == own)
            {
                cookie.SessionStore ??= store;
                cookie.CookieManager = new TicketCookies(cookie.CookieManager ?? new ChunkingCookieManager());
            }
        }
    }
}
