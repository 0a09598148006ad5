using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;

namespace SessionActors.TestApp;

/// <summary>Cookie authentication beside the session, as an application with user accounts has it.</summary>
internal static class SignInEndpoints
{
    /// <summary>A scheme that carries what another site said of a visitor, and signs nobody in.</summary>
    public const string External = "External";

    public static void AddSignIn(this IServiceCollection services) => services
        .AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
        .AddCookie(options => options.Events.OnRedirectToLogin = context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        })
        .AddCookie(External);

    /// <summary>Keys of Data Protection in the cluster, encrypted by a certificate; or, to see that refused, by nothing.</summary>
    public static void AddSharedKeys(this WebApplicationBuilder builder)
    {
        if (builder.Configuration["ProtectionCertificate"] is { } file)
        {
            var keys = builder.Services.AddDataProtection().SetApplicationName("test").PersistKeysToSessionActors();
            if (file.Length > 0)
            {
                keys.ProtectKeysWithCertificate(X509CertificateLoader.LoadPkcs12FromFile(file, password: null));
            }
        }
    }

    public static void MapSignIn(this WebApplication app)
    {
        app.MapGet("/sign-in/{user}", async (HttpContext http, string user, string? scheme, string? name, string? value) =>
        {
            if (name is not null)
            {
                http.Session.SetString(name, value!);
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test");
            await http.SignInAsync(scheme, new ClaimsPrincipal(identity));
            return http.GetActorSession().UserId ?? "-";
        });
        app.MapGet("/sign-out", async (HttpContext http, string? scheme, string? name) =>
        {
            await http.SignOutAsync(scheme);
            if (name is not null)
            {
                http.Session.SetString(name, "left");
            }

            return "signed out";
        });
        app.MapGet("/user", (HttpContext http) =>
            $"{http.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? "-"} {http.GetActorSession().UserId ?? "-"}");
        app.MapGet("/bind/{user}", async (HttpContext http, string user) =>
        {
            await http.GetActorSession().BindAsync(user, "a test");
            return "bound";
        });

        // Held between its opening and its sign-in.
        app.MapGet("/slow-sign-in/{gate}/{user}", async (HttpContext http, Gates gates, string gate, string user) =>
        {
            http.Session.SetString($"by-{gate}", user);
            await gates.PassAsync(gate, http.RequestAborted);
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test");
            await http.SignInAsync(new ClaimsPrincipal(identity));
            return "signed in";
        });
        app.MapGet("/devices", async (HttpContext http, IGrainFactory grains) =>
        {
            var page = await grains.GetGrain<IUserSessionsGrain>(http.GetActorSession().UserId!).ListAsync();
            return string.Join('\n', page.Sessions.Select(session => $"{session.Handle} {session.Address} {session.Device}"));
        });
        app.MapGet("/end/{handle}", (HttpContext http, IGrainFactory grains, string handle) =>
            grains.GetGrain<IUserSessionsGrain>(http.GetActorSession().UserId!).EndAsync(SessionHandle.Parse(handle)));
        app.MapGet("/log-out-everywhere", async (HttpContext http, IGrainFactory grains, bool others) =>
        {
            var session = http.GetActorSession();
            var user = grains.GetGrain<IUserSessionsGrain>(session.UserId!);
            await (others ? user.EndOthersAsync(session.Handle) : user.EndAllAsync());
            return "ended";
        });
    }
}
