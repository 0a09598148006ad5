using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace SessionActors.Devices;

/// <summary>
/// Lets <c>operator</c> in with the password <c>Dashboard:Password</c> of the configuration, by HTTP's Basic authentication; without one
/// nobody. An application with accounts has a policy for its administrators instead.
/// </summary>
internal sealed class OperatorAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, IConfiguration configuration)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string Name = "Operator";

    private const string Setting = "Dashboard:Password";

    /// <summary>Whether there is a password.</summary>
    public static bool IsOn(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Setting]);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0 || !IsOn(configuration))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var expected = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"operator:{configuration[Setting]}"))}";
        // Equal lengths, so that the time that it takes tells nothing.
        if (!CryptographicOperations.FixedTimeEquals(Hash(Request.Headers.Authorization.ToString()), Hash(expected)))
        {
            return Task.FromResult(AuthenticateResult.Fail("The name or the password is wrong."));
        }

        var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "operator")], Name));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Basic realm=\"dashboard\", charset=\"UTF-8\"";
        return base.HandleChallengeAsync(properties);
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
