using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>ASP.NET Core Identity with its tickets in sessions, used as its documentation says.</summary>
public sealed class IdentityTests : IAsyncLifetime
{
    private const string TicketCookie = ".AspNetCore.Identity.Application";

    private WebApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("SessionActors:DataFolder", ":memory:")]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddSessionSilo();
        builder.Services.AddActorSession();
        var database = $"{RequestId.New()}";
        builder.Services.AddDbContext<Accounts>(options => options.UseInMemoryDatabase(database));
        builder.Services.AddIdentity<IdentityUser, IdentityRole>().AddEntityFrameworkStores<Accounts>();
        // Validated, and so renewed, with every request.
        builder.Services.Configure<SecurityStampValidatorOptions>(options => options.ValidationInterval = TimeSpan.Zero);
        builder.Services.AddActorTicketStore();
        _app = builder.Build();
        _app.UseActorSession();
        _app.MapGet("/register/{name}", async (UserManager<IdentityUser> users, string name) =>
            (await users.CreateAsync(new IdentityUser(name), "Passw0rd!")).Succeeded);
        _app.MapGet("/log-in/{name}/{password}", async (SignInManager<IdentityUser> signIn, string name, string password) =>
            (await signIn.PasswordSignInAsync(name, password, isPersistent: true, lockoutOnFailure: false)).Succeeded);
        _app.MapGet("/log-out", (SignInManager<IdentityUser> signIn) => signIn.SignOutAsync());
        _app.MapGet("/who", (HttpContext http, UserManager<IdentityUser> users) =>
            $"{http.User.Identity?.Name ?? "-"} {(http.GetActorSession().UserId == users.GetUserId(http.User) ? "bound" : "not bound")}");
        _app.MapGet("/cart/{value}", (HttpContext http, string value) => http.Session.SetString("cart", value));
        _app.MapGet("/cart", (HttpContext http) => http.Session.GetString("cart") ?? "-");
        _app.MapGet("/refresh", async (HttpContext http, UserManager<IdentityUser> users, SignInManager<IdentityUser> signIn) =>
            await signIn.RefreshSignInAsync((await users.GetUserAsync(http.User))!));
        _app.MapGet("/new-password", async (HttpContext http, UserManager<IdentityUser> users) =>
        {
            var user = await users.GetUserAsync(http.User);
            return (await users.ChangePasswordAsync(user!, "Passw0rd!", "An0ther!")).Succeeded;
        });
        _app.MapGet("/end-all", (HttpContext http, IGrainFactory grains) =>
            grains.GetGrain<IUserSessionsGrain>(http.User.FindFirstValue(ClaimTypes.NameIdentifier)!).EndAllAsync());
        await _app.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_log_in_binds_the_session_and_a_log_out_ends_it_and_its_ticket()
    {
        using var visitor = NewVisitor();
        await visitor.GetAsync("/register/ada");
        await visitor.GetAsync("/cart/tea");
        var before = visitor.SessionCookie;

        Assert.Equal("true", await visitor.GetAsync("/log-in/ada/Passw0rd!"));

        Assert.Equal("ada bound", await visitor.GetAsync("/who"));
        Assert.Equal("tea", await visitor.GetAsync("/cart"));
        Assert.NotEqual(before, visitor.SessionCookie);
        var ticket = visitor.Cookies.GetCookies(visitor.Address)[TicketCookie]!.Value;
        await visitor.GetAsync("/log-out");
        Assert.StartsWith("- ", await visitor.GetAsync("/who"), StringComparison.Ordinal);
        Assert.Equal("-", await visitor.GetAsync("/cart"));
        using var thief = NewVisitor();
        thief.Cookies.Add(thief.Address, new Cookie(TicketCookie, ticket, "/"));
        Assert.StartsWith("- ", await thief.GetAsync("/who"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signed_in_again_by_a_request_whose_ticket_is_renewed_the_visitor_has_the_new_ticket()
    {
        using var visitor = NewVisitor();
        await visitor.GetAsync("/register/fay");
        await visitor.GetAsync("/log-in/fay/Passw0rd!");
        var before = visitor.Cookies.GetCookies(visitor.Address)[TicketCookie]!.Value;

        await visitor.GetAsync("/refresh");

        Assert.NotEqual(before, visitor.Cookies.GetCookies(visitor.Address)[TicketCookie]!.Value);
        Assert.Equal("fay bound", await visitor.GetAsync("/who"));
        using var thief = NewVisitor();
        thief.Cookies.Add(thief.Address, new Cookie(TicketCookie, before, "/"));
        Assert.StartsWith("- ", await thief.GetAsync("/who"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_changes_nothing()
    {
        using var visitor = NewVisitor();
        await visitor.GetAsync("/register/bob");
        await visitor.GetAsync("/cart/tea");
        var before = visitor.SessionCookie;

        Assert.Equal("false", await visitor.GetAsync("/log-in/bob/wrong"));

        Assert.Equal(before, visitor.SessionCookie);
        Assert.Equal("tea", await visitor.GetAsync("/cart"));
    }

    [Fact]
    public async Task A_new_password_logs_the_other_browser_out()
    {
        using var here = NewVisitor();
        using var there = NewVisitor();
        await here.GetAsync("/register/cid");
        await here.GetAsync("/log-in/cid/Passw0rd!");
        await there.GetAsync("/log-in/cid/Passw0rd!");
        Assert.Equal("cid bound", await there.GetAsync("/who"));

        Assert.Equal("true", await here.GetAsync("/new-password"));

        Assert.StartsWith("- ", await there.GetAsync("/who"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ticket_that_was_ended_elsewhere_does_not_come_back_by_being_renewed()
    {
        using var here = NewVisitor();
        using var there = NewVisitor();
        await here.GetAsync("/register/dan");
        await here.GetAsync("/log-in/dan/Passw0rd!");
        await there.GetAsync("/log-in/dan/Passw0rd!");

        await here.GetAsync("/end-all");

        foreach (var browser in new[] { here, there, there })
        {
            Assert.StartsWith("- ", await browser.GetAsync("/who"), StringComparison.Ordinal);
        }

        using var again = await there.TryGetAsync("/log-in/dan/Passw0rd!");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal("dan bound", await there.GetAsync("/who"));
    }

    private Browser NewVisitor() => new(new Uri(_app.Urls.First()));

    private sealed class Accounts(DbContextOptions<Accounts> options) : IdentityDbContext(options);
}
