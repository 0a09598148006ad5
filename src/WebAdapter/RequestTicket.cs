using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>The ticket of the store that a request came with.</summary>
/// <param name="Key">Its key, as the cookie has it.</param>
/// <param name="Handle">Its own session.</param>
/// <param name="Session">The listed session that it goes with; null where it goes with none.</param>
internal sealed record RequestTicket(string Key, SessionHandle Handle, SessionHandle? Session)
{
    /// <summary>Null where it came with none, or has signed out since.</summary>
    public static RequestTicket? Of(HttpContext context) => (RequestTicket?)context.Items[typeof(RequestTicket)];

    /// <summary>The request is signed in by this one; by none where null.</summary>
    public static void Set(HttpContext context, RequestTicket? ticket) => context.Items[typeof(RequestTicket)] = ticket;
}
