using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// Keeps the tickets of cookie authentication in session grains of their own, one each: the browser's cookie has only a key, and whoever
/// ends a ticket has ended it for every server. A ticket is bound to its user, and goes with the session that the user signed in with.
/// <para>
/// Calls go on when the client has left: a ticket that was to be removed is.
/// </para>
/// </summary>
internal sealed class ActorTicketStore(SessionDoor door) : ITicketStore
{
    private const string Property = "ticket";

    // What cookie authentication takes where nothing is said.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromDays(14);

    /// <summary>A ticket goes with another session from now on.</summary>
    /// <exception cref="SessionDestroyedException">It has ended.</exception>
    public static async Task GoWithAsync(SessionDoor door, string key, string userId, SessionHandle session)
    {
        if (TicketKey.TryParse(key, out var ticket))
        {
            await BindAsync(door, ticket.Handle, userId, session);
        }
    }

    /// <summary>Whether a ticket is still good.</summary>
    public static async Task<bool> IsThereAsync(SessionDoor door, string key) => await OpenAsync(door, key, slide: false) is not null;

    public Task<string> StoreAsync(AuthenticationTicket ticket) => StoreAsync(ticket, visit: null);

    public Task<string> StoreAsync(AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken) =>
        StoreAsync(ticket, httpContext.Features.Get<SessionVisit>());

    /// <summary>Stores a renewed ticket. One that has ended meanwhile stays so.</summary>
    public async Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        if (await OpenAsync(door, key, slide: true) is not { } open)
        {
            return;
        }

        var delta = Delta(ticket);
        try
        {
            await door.Calls.ChangeAsync(
                open.Grain, open.Key.Handle, door.Calls.NewRequest(open.Snapshot.Generation, first: null),
                request => open.Grain.CommitAsync(delta, request), CancellationToken.None);
        }
        catch (SessionDestroyedException e)
        {
            door.OnDropped(open.Key.Handle, e);
        }
    }

    public async Task<AuthenticationTicket?> RetrieveAsync(string key) => Read(await OpenAsync(door, key, slide: true));

    public async Task<AuthenticationTicket?> RetrieveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken)
    {
        var open = await OpenAsync(door, key, slide: true);
        RequestTicket.Set(httpContext, open is null ? null : new RequestTicket(key, open.Key.Handle, open.Snapshot.GoesWith));
        return Read(open);
    }

    public async Task RemoveAsync(string key)
    {
        if (await OpenAsync(door, key, slide: false) is { } open)
        {
            await door.Calls.ChangeAsync(
                open.Grain, open.Key.Handle, door.Calls.NewRequest(open.Snapshot.Generation, first: null),
                request => open.Grain.DestroyAsync(request), CancellationToken.None);
        }
    }

    private async Task<string> StoreAsync(AuthenticationTicket ticket, SessionVisit? visit)
    {
        var key = TicketKey.New();
        var grain = door.GrainOf(key.Handle);
        var session = new NewSession
        {
            Secret = key.Hash, Delta = Delta(ticket), AbsoluteLifetime = door.AbsoluteLifetime, IsUntold = true,
        };
        await door.Calls.ChangeAsync(
            grain, key.Handle, door.Calls.NewRequest(generation: null, first: null),
            request => grain.CreateAsync(session, request), CancellationToken.None);
        if (door.UserIdOf(ticket.Principal) is { } userId)
        {
            var with = visit is { UserId: { } bound } && bound == userId ? visit.Connection.Handle : (SessionHandle?)null;
            await BindAsync(door, key.Handle, userId, with);
        }

        return key.ToString();
    }

    private static Task BindAsync(SessionDoor door, SessionHandle ticket, string userId, SessionHandle? with)
    {
        var grain = door.GrainOf(ticket);
        var user = new UserBinding { UserId = userId, IsUnlisted = true, With = with };
        return door.Calls.ChangeAsync(
            grain, ticket, door.Calls.NewRequest(generation: 1, first: null), request => grain.BindAsync(user, request),
            CancellationToken.None);
    }

    private static AuthenticationTicket? Read(OpenTicket? open) => open?.Snapshot.TryGetValue(Property, out var bytes) is true
        ? TicketSerializer.Default.Deserialize(bytes.Value.ToArray()) : null;

    private static async Task<OpenTicket?> OpenAsync(SessionDoor door, string text, bool slide)
    {
        if (!TicketKey.TryParse(text, out var key))
        {
            return null;
        }

        var grain = door.GrainOf(key.Handle);
        var opening = await door.Calls.OpenAsync(grain, key.Handle, key.Hash, slide, known: null);
        return opening.Standing == SessionStanding.Open ? new OpenTicket(key, grain, opening.Snapshot!) : null;
    }

    private SessionDelta Delta(AuthenticationTicket ticket)
    {
        var left = ticket.Properties.ExpiresUtc - door.Now ?? DefaultLifetime;
        return SessionDelta.Empty
            .Set(Property, TicketSerializer.Default.Serialize(ticket))
            .WithTtl(TimeSpan.FromTicks(long.Clamp(left.Ticks, SessionDelta.MinTtl.Ticks, SessionDelta.MaxTtl.Ticks)));
    }

    private sealed record OpenTicket(TicketKey Key, ISessionGrain Grain, SessionSnapshot Snapshot);
}
