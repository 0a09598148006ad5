namespace SessionActors;

/// <summary>Tickets of cookie authentication that are kept in sessions.</summary>
public sealed class TicketTests : IAsyncLifetime
{
    private const string AuthenticationCookie = ".AspNetCore.Cookies";

    private RedisServer _redis = null!;
    private AppProcess _first = null!;
    private AppProcess _second = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _first = await StartAsync();
        _second = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_signs_in_until_it_is_signed_out_and_never_again()
    {
        using var visitor = new Browser(_first.Address);
        await visitor.GetAsync("/sign-in/ada");
        Assert.Equal("ada ada", await visitor.GetAsync("/user"));
        var ticket = TicketOf(visitor);

        await visitor.GetAsync("/sign-out");

        using var thief = WithTicket(_first, ticket);
        Assert.Equal("- -", await thief.GetAsync("/user"));
    }

    [Fact]
    public async Task A_ticket_that_somebody_planted_is_not_signed_in_with_the_visitor()
    {
        using var attacker = new Browser(_first.Address);
        await attacker.GetAsync("/sign-in/eve");
        var planted = TicketOf(attacker);
        using var victim = WithTicket(_first, planted);
        Assert.Equal("eve -", await victim.GetAsync("/user"));

        await victim.GetAsync("/sign-in/bob");

        Assert.Equal("bob bob", await victim.GetAsync("/user"));
        Assert.NotEqual(planted, TicketOf(victim));
        using var again = WithTicket(_first, planted);
        Assert.Equal("- -", await again.GetAsync("/user"));
    }

    [Fact]
    public async Task Logged_out_everywhere_else_only_the_ticket_here_goes_on()
    {
        using var here = new Browser(_first.Address);
        using var there = new Browser(_first.Address);
        await here.GetAsync("/sign-in/cid");
        await there.GetAsync("/sign-in/cid");
        Assert.Equal(2, (await here.GetAsync("/devices")).Split('\n').Length);

        await here.GetAsync("/log-out-everywhere?others=true");

        Assert.Equal("cid cid", await here.GetAsync("/user"));
        Assert.Equal("- -", await there.GetAsync("/user"));
        await here.GetAsync("/log-out-everywhere?others=false");
        Assert.Equal("- -", await here.GetAsync("/user"));
    }

    [Fact]
    public async Task One_that_is_ended_takes_its_ticket_with_it()
    {
        using var here = new Browser(_first.Address);
        using var there = new Browser(_first.Address);
        await here.GetAsync("/sign-in/dan");
        await there.GetAsync("/sign-in/dan");

        await here.GetAsync($"/end/{there.Handle}");

        Assert.Equal("- -", await there.GetAsync("/user"));
        Assert.Equal("dan dan", await here.GetAsync("/user"));
    }

    [Fact]
    public async Task A_session_that_begins_under_a_ticket_is_its_users_and_ends_with_theirs()
    {
        using var here = new Browser(_first.Address);
        using var there = new Browser(_first.Address);
        await here.GetAsync("/sign-in/eli");
        await there.GetAsync("/sign-in/eli");
        using var later = WithTicket(_first, TicketOf(there));
        Assert.Equal("eli -", await later.GetAsync("/user"));
        await later.GetAsync("/set/basket/tea");
        Assert.Equal("eli eli", await later.GetAsync("/user"));
        Assert.Equal(2, (await here.GetAsync("/devices")).Split('\n').Length);

        await here.GetAsync("/log-out-everywhere?others=true");

        Assert.Equal("- -", await later.GetAsync("/user"));
        Assert.Equal("-", await later.GetAsync("/get/basket"));
        Assert.Equal("eli eli", await here.GetAsync("/user"));
    }

    [Fact]
    public async Task A_session_that_begins_under_a_ticket_has_the_ticket_with_it_from_then_on()
    {
        using var here = new Browser(_first.Address);
        await here.GetAsync("/sign-in/gil");
        using var later = WithTicket(_first, TicketOf(here));
        await later.GetAsync("/set/basket/tea");
        using var other = new Browser(_first.Address);
        await other.GetAsync("/sign-in/gil");

        // Whoever ends all others from the new session stays signed in.
        await later.GetAsync("/log-out-everywhere?others=true");
        Assert.Equal("gil gil", await later.GetAsync("/user"));
        Assert.Equal("- -", await other.GetAsync("/user"));

        // And the device has gone whole where the new session is ended.
        await other.GetAsync("/sign-in/gil");
        await other.GetAsync($"/end/{later.Handle}");
        Assert.Equal("- -", await later.GetAsync("/user"));
        Assert.Single((await other.GetAsync("/devices")).Split('\n'));
    }

    [Fact]
    public async Task A_session_that_begins_after_a_sign_out_in_the_same_request_is_nobodys()
    {
        using var visitor = new Browser(_first.Address);
        await visitor.GetAsync("/sign-in/flo");

        await visitor.GetAsync("/sign-out?name=basket");

        Assert.Equal("- -", await visitor.GetAsync("/user"));
        Assert.Equal("left", await visitor.GetAsync("/get/basket"));
    }

    // Data protection's keys are each server's own here, so a visitor stays at one.
    private Task<AppProcess> StartAsync() => AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_redis.Address}", "--Tickets=true");

    private static string TicketOf(Browser browser) => browser.Cookies.GetCookies(browser.Address)[AuthenticationCookie]!.Value;

    private static Browser WithTicket(AppProcess server, string ticket)
    {
        var browser = new Browser(server.Address);
        browser.Cookies.Add(server.Address, new System.Net.Cookie(AuthenticationCookie, ticket, "/"));
        return browser;
    }
}
