using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>What cookie authentication asks of the store of its tickets, and what must not come of it.</summary>
public sealed class TicketStoreTests : IAsyncLifetime
{
    private WebSite _site = null!;
    private ITicketStore _tickets = null!;

    public async ValueTask InitializeAsync()
    {
        _site = await WebSite.StartAsync(
            _ => { },
            services: services =>
            {
                services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
                services.AddActorTicketStore();
            });
        _tickets = _site.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>()
            .Get(CookieAuthenticationDefaults.AuthenticationScheme).SessionStore!;
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task A_ticket_comes_back_as_it_was_stored_and_as_it_was_renewed()
    {
        var key = await StoreAsync(TicketOf("ada"));
        Assert.Equal("ada", await NameOfAsync(key));

        await RenewAsync(key, TicketOf("ada", "second"));

        Assert.Equal("second", (await RetrieveAsync(key))!.Principal.FindFirstValue("version"));
    }

    [Fact]
    public async Task A_renewal_of_a_ticket_that_has_ended_does_not_bring_it_back()
    {
        var key = await StoreAsync(TicketOf("ada"));
        await RemoveAsync(key);

        await RenewAsync(key, TicketOf("ada"));

        Assert.Null(await RetrieveAsync(key));
    }

    [Fact]
    public async Task Of_renewals_and_a_removal_at_once_the_removal_wins()
    {
        for (var round = 0; round < 20; round++)
        {
            var key = await StoreAsync(TicketOf("ada"));

            await Task.WhenAll(
                [.. Enumerable.Range(0, 5).Select(_ => RenewAsync(key, TicketOf("ada"))), RemoveAsync(key)]);

            Assert.Null(await RetrieveAsync(key));
        }
    }

    [Fact]
    public async Task A_ticket_is_removed_although_the_client_has_left()
    {
        var key = await StoreAsync(TicketOf("ada"));

        await _tickets.RemoveAsync(key, new DefaultHttpContext(), new CancellationToken(canceled: true));

        Assert.Null(await RetrieveAsync(key));
    }

    [Fact]
    public async Task Each_sign_in_gets_a_key_of_its_own_and_no_other_key_opens_it()
    {
        var (one, two) = (await StoreAsync(TicketOf("ada")), await StoreAsync(TicketOf("ada")));
        Assert.NotEqual(one, two);

        // The handle of one with the secret of the other, and what is no key at all.
        string[] others = [string.Concat(one.AsSpan(0, 22), two.AsSpan(22)), one[..^1], "", "garbage", new('A', one.Length)];
        foreach (var made in others)
        {
            Assert.Null(await RetrieveAsync(made));
            await RenewAsync(made, TicketOf("eve"));
            await RemoveAsync(made);
        }

        Assert.Equal("ada", await NameOfAsync(one));
        Assert.Equal("ada", await NameOfAsync(two));
    }

    [Fact]
    public async Task A_ticket_lives_as_long_as_cookie_authentication_says()
    {
        var ticket = TicketOf("ada");
        ticket.Properties.ExpiresUtc = _site.Time.GetUtcNow() + TimeSpan.FromDays(3);
        var key = await StoreAsync(ticket);

        var session = _site.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(HandleIn(key));

        // A ticket is stored with its time in whole seconds.
        Assert.InRange((await session.ReadAsync())!.Ttl, TimeSpan.FromDays(3) - TimeSpan.FromSeconds(1), TimeSpan.FromDays(3));
    }

    private Task<string> StoreAsync(AuthenticationTicket ticket) => _tickets.StoreAsync(ticket, TestContext.Current.CancellationToken);

    private Task RenewAsync(string key, AuthenticationTicket ticket) =>
        _tickets.RenewAsync(key, ticket, TestContext.Current.CancellationToken);

    private Task RemoveAsync(string key) => _tickets.RemoveAsync(key, TestContext.Current.CancellationToken);

    private Task<AuthenticationTicket?> RetrieveAsync(string key) =>
        _tickets.RetrieveAsync(key, TestContext.Current.CancellationToken);

    private async Task<string?> NameOfAsync(string key) => (await RetrieveAsync(key))?.Principal.Identity?.Name;

    private static AuthenticationTicket TicketOf(string user, string version = "first")
    {
        Claim[] claims = [new(ClaimTypes.NameIdentifier, user), new(ClaimTypes.Name, user), new("version", version)];
        return new(new ClaimsPrincipal(new ClaimsIdentity(claims, "test")), CookieAuthenticationDefaults.AuthenticationScheme);
    }

    private static SessionHandle HandleIn(string key) =>
        TicketKey.TryParse(key, out var parsed) ? parsed.Handle : throw new FormatException("That is no key of a ticket.");
}
