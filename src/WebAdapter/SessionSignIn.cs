using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Signs in and out as the application's own service does, and the session with it. A sign-in that the session cannot follow is none: it
/// would leave the visitor signed in under a secret that somebody else may know.
/// </summary>
internal sealed class SessionSignIn(
    IAuthenticationService inner,
    IAuthenticationSchemeProvider schemes,
    SessionDoor door,
    IOptions<ActorSessionOptions> options,
    IOptionsMonitor<CookieAuthenticationOptions> cookies) : IAuthenticationService
{
    public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme) => inner.AuthenticateAsync(context, scheme);

    public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        inner.ChallengeAsync(context, scheme, properties);

    public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        inner.ForbidAsync(context, scheme, properties);

    public async Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties)
    {
        var asked = scheme is null ? await schemes.GetDefaultSignInSchemeAsync() : await schemes.GetSchemeAsync(scheme);
        if (await IsOwnAsync(asked) && context.Features.Get<SessionVisit>() is { } visit)
        {
            await visit.SignInAsync(door.UserIdOf(principal));
        }

        if (IsCookie(asked) && cookies.Get(asked!.Name).SessionStore is ActorTicketStore store)
        {
            await SignInWithNewTicketAsync(context, scheme, principal, properties, store);
        }
        else
        {
            await inner.SignInAsync(context, scheme, principal, properties);
        }
    }

    public async Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties)
    {
        var asked = scheme is null ? await schemes.GetDefaultSignOutSchemeAsync() : await schemes.GetSchemeAsync(scheme);
        if (await IsOwnAsync(asked) && context.Features.Get<SessionVisit>() is { } visit)
        {
            await new ActorSession(visit, isReadOnly: false).DestroyAsync();
        }

        await inner.SignOutAsync(context, scheme, properties);
        RequestTicket.Set(context, null);
    }

    /// <summary>
    /// Signs in as if the request had come without a ticket. Cookie authentication would renew the one it came with, under its key, and
    /// whoever planted that cookie would be signed in with the visitor.
    /// </summary>
    private async Task SignInWithNewTicketAsync(
        HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties, ActorTicketStore store)
    {
        // A handler remembers the cookie that it has read, and there is one for a request.
        var fresh = ActivatorUtilities.CreateInstance<AuthenticationService>(
            context.RequestServices, new AuthenticationHandlerProvider(schemes));
        var feature = context.Features.Get<IRequestCookiesFeature>();
        var none = new FeatureCollection();
        none.Set<IHttpRequestFeature>(new HttpRequestFeature());
        context.Features.Set<IRequestCookiesFeature>(new RequestCookiesFeature(none));
        TicketCookies.SignIn(context, isOver: false);
        try
        {
            await fresh.SignInAsync(context, scheme, principal, properties);
            TicketCookies.SignIn(context, isOver: true);
        }
        finally
        {
            context.Features.Set(feature);
        }

        if (RequestTicket.Of(context) is { } old)
        {
            await store.RemoveAsync(old.Key);
            RequestTicket.Set(context, null);
        }
    }

    // A scheme that only carries what another site said of a visitor has nothing to do with the session.
    private async Task<bool> IsOwnAsync(AuthenticationScheme? scheme) =>
        IsCookie(scheme)
        && scheme!.Name == (options.Value.SignInScheme ?? (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name);

    private static bool IsCookie(AuthenticationScheme? scheme) =>
        scheme is not null && typeof(CookieAuthenticationHandler).IsAssignableFrom(scheme.HandlerType);
}
