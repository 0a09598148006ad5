using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// Sends the cookie of a ticket. A request that signs in sends the new ticket's, and not the one that it came with once more, which cookie
/// authentication would renew when the response begins.
/// </summary>
internal sealed class TicketCookies(ICookieManager inner) : ICookieManager
{
    /// <summary>The request is about to sign in, or has.</summary>
    public static void SignIn(HttpContext context, bool isOver) => context.Items[typeof(TicketCookies)] = isOver;

    public string? GetRequestCookie(HttpContext context, string key) => inner.GetRequestCookie(context, key);

    public void AppendResponseCookie(HttpContext context, string key, string? value, CookieOptions options)
    {
        if (context.Items[typeof(TicketCookies)] is not true)
        {
            inner.AppendResponseCookie(context, key, value, options);
        }
    }

    public void DeleteCookie(HttpContext context, string key, CookieOptions options) => inner.DeleteCookie(context, key, options);
}
