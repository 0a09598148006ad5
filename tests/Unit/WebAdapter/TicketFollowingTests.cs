using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>Sessions that begin while their visitor is signed in by a ticket of ours.</summary>
public sealed class TicketFollowingTests
{
    private const string AuthenticationCookie = ".AspNetCore.Cookies";

    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Two_that_begin_at_once_are_one_browser_and_the_one_that_it_keeps_takes_the_place()
    {
        await using var site = await StartAsync(silo: options => options.MaxSessionsPerUser = 1);
        using var first = site.NewBrowser();
        await first.GetAsync("/sign-in/ada");
        using var one = WithTicketOf(first, site);
        using var other = WithTicketOf(first, site);

        await one.GetAsync("/set/tea");
        await other.GetAsync("/set/jam");

        Assert.Equal(("tea", "jam"), (await one.GetAsync("/get"), await other.GetAsync("/get")));
        Assert.Equal(("ada ada", "ada ada"), (await one.GetAsync("/user"), await other.GetAsync("/user")));
        Assert.Equal(one.Handle, await OnlyAsync(site));
        site.Time.Advance(TimeSpan.FromSeconds(31));
        site.Failure = method => method == nameof(ISessionGrain.BindAsync)
            ? SessionUnavailableException.NotApplied("12345678", "the list is out of reach.") : null;
        await other.GetAsync("/set/cake");
        Assert.Equal(one.Handle, await OnlyAsync(site));
        site.Failure = _ => null;
        await other.GetAsync("/set/honey");
        Assert.Equal(other.Handle, await OnlyAsync(site));
        Assert.Equal("ada -", await one.GetAsync("/user"));
        await site.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserSessionsGrain>("ada").EndOthersAsync(other.Handle);
        Assert.Equal("ada ada", await other.GetAsync("/user"));
    }

    [Fact]
    public async Task One_that_cannot_become_its_users_is_nobodys_and_the_next_try_makes_another()
    {
        await using var site = await StartAsync();
        using var first = site.NewBrowser();
        await first.GetAsync("/sign-in/ada");
        using var later = WithTicketOf(first, site);
        site.Failure = method => method == nameof(ISessionGrain.BindAsync)
            ? SessionUnavailableException.NotApplied("12345678", "the list is out of reach.") : null;

        foreach (var path in new[] { "/set/tea", "/commit-twice/tea" })
        {
            using var response = await later.TryGetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Null(later.SessionCookie);
        }

        site.Failure = _ => null;
        await later.GetAsync("/set/tea");
        Assert.Equal("ada ada", await later.GetAsync("/user"));
        Assert.Equal("tea", await later.GetAsync("/get"));
    }

    [Fact]
    public async Task One_that_is_to_become_its_users_does_so_with_the_next_commit_of_the_request()
    {
        await using var site = await StartAsync();
        using var first = site.NewBrowser();
        await first.GetAsync("/sign-in/ada");
        using var later = WithTicketOf(first, site);
        var failures = 1;
        site.Failure = method => method == nameof(ISessionGrain.BindAsync) && failures-- > 0
            ? SessionUnavailableException.NotApplied("12345678", "the list is out of reach.") : null;

        Assert.Equal("refused, stored", await later.GetAsync("/commit-twice/tea"));

        Assert.Equal("ada ada", await later.GetAsync("/user"));
        Assert.Equal("tea", await later.GetAsync("/get"));
    }

    [Fact]
    public async Task One_that_begins_while_all_of_the_users_are_ended_ends_with_them()
    {
        await using var site = await StartAsync();
        using var browser = site.NewBrowser();
        await browser.GetAsync("/sign-in-without/ada");
        var begins = browser.GetAsync("/slow");
        await Until.Async(_begun.Task, "the request is signed in");
        var grains = site.Services.GetRequiredService<IGrainFactory>();
        await grains.GetGrain<IUserSessionsGrain>("ada").EndAllAsync();

        _gate.SetResult();

        Assert.Null(await grains.GetGrain<ISessionGrain>(SessionHandle.Parse(await begins)).ReadAsync());
        Assert.Null(browser.SessionCookie);
        Assert.Equal("- -", await browser.GetAsync("/user"));
    }

    [Fact]
    public async Task A_ticket_ends_with_the_absolute_lifetime_however_often_it_is_used()
    {
        await using var site = await StartAsync(options => options.AbsoluteLifetime = TimeSpan.FromHours(12));
        using var browser = site.NewBrowser();
        await browser.GetAsync("/sign-in/ada");
        for (var hour = 1; hour < 12; hour++)
        {
            site.Time.Advance(TimeSpan.FromHours(1));
            Assert.Equal("ada", (await browser.GetAsync("/user")).Split(' ')[0]);
        }

        site.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal("- -", await browser.GetAsync("/user"));
    }

    [Fact]
    public async Task A_ticket_that_has_ended_is_nothing_to_one_who_is_signed_in_by_something_else()
    {
        await using var site = await StartAsync();
        using var first = site.NewBrowser();
        await first.GetAsync("/sign-in/ada");
        using var later = WithTicketOf(first, site);
        await site.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserSessionsGrain>("ada").EndAllAsync();

        await later.GetAsync("/set/tea?as=bob");

        Assert.Equal("tea", await later.GetAsync("/get"));
    }

    [Theory]
    [InlineData(UnavailableBehaviour.Fail)]
    [InlineData(UnavailableBehaviour.Ignore)]
    public async Task A_ticket_out_of_reach_is_answered_as_a_session_out_of_reach_is(UnavailableBehaviour behaviour)
    {
        await using var site = await StartAsync(options => options.OnUnavailable = behaviour);
        using var first = site.NewBrowser();
        await first.GetAsync("/sign-in/ada");
        using var browser = WithTicketOf(first, site);
        site.Failure = method => method == nameof(ISessionGrain.OpenAsync)
            ? SessionUnavailableException.NotApplied("12345678", "no store.") : null;

        using var response = await browser.TryGetAsync("/user");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private Task<WebSite> StartAsync(Action<ActorSessionOptions>? configure = null, Action<SessionActorsOptions>? silo = null) =>
        WebSite.StartAsync(
            Endpoints,
            configure,
            silo: silo,
            movesGrains: true,
            services: services =>
            {
                services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
                services.AddActorTicketStore();
            });

    private static Browser WithTicketOf(Browser browser, WebSite site)
    {
        var other = site.NewBrowser();
        var ticket = browser.Cookies.GetCookies(browser.Address)[AuthenticationCookie]!.Value;
        other.Cookies.Add(other.Address, new Cookie(AuthenticationCookie, ticket, "/"));
        return other;
    }

    private static async Task<SessionHandle> OnlyAsync(WebSite site)
    {
        var list = site.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserSessionsGrain>("ada");
        return Assert.Single((await list.ListAsync()).Sessions).Handle;
    }

    private void Endpoints(WebApplication app)
    {
        app.UseAuthentication();
        app.Use((http, next) =>
        {
            if (http.Request.Query["as"].ToString() is { Length: > 0 } name)
            {
                http.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], "test"));
            }

            return next(http);
        });
        app.MapGet("/sign-in/{user}", SignInAsync);
        app.MapGet("/sign-in-without/{user}", SignInAsync).WithSessionAccess(SessionAccess.None);
        app.MapGet("/user", (HttpContext http) => $"{NameOf(http.User) ?? "-"} {http.GetActorSession().UserId ?? "-"}");
        app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
        app.MapGet("/set/{value}", (HttpContext http, string value) => http.Session.SetString("a", value));
        app.MapGet("/commit-twice/{value}", async (HttpContext http, string value) =>
        {
            http.Session.SetString("a", value);
            return $"{await CommitAsync(http)}, {await CommitAsync(http)}";
        });
        app.MapGet("/slow", async (HttpContext http) =>
        {
            _begun.SetResult();
            await _gate.Task;
            http.Session.SetString("a", "late");
            return http.Session.Id;
        });
    }

    private static async Task<string> CommitAsync(HttpContext http)
    {
        try
        {
            await http.Session.CommitAsync();
            return "stored";
        }
        catch (SessionUnavailableException)
        {
            return "refused";
        }
    }

    private static Task SignInAsync(HttpContext http, string user) =>
        http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test")));

    private static string? NameOf(ClaimsPrincipal user) => user.FindFirstValue(ClaimTypes.NameIdentifier);
}
