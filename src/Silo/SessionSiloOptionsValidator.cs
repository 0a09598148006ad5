using System.Net;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Every rule on <see cref="SessionSiloOptions"/>. It is a part of checking <see cref="SessionActorsOptions"/>, so that whoever starts
/// a silo is told all that is wrong in the section at once.
/// </summary>
internal sealed class SessionSiloOptionsValidator(IOptions<SessionSiloOptions> silo) : IValidateOptions<SessionActorsOptions>
{
    private const int LongestId = 64;

    public ValidateOptionsResult Validate(string? name, SessionActorsOptions options)
    {
        var errors = Check(silo.Value).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static IEnumerable<string> Check(SessionSiloOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.DataFolder))
        {
            yield return $"{Named(nameof(options.DataFolder), options.DataFolder)} is empty. Set it to a folder, to "
                + $"{SqliteDatabase.InMemory}, or leave it out for App_Data/sessions.";
        }

        (string, string?)[] ids = [(nameof(options.ClusterId), options.ClusterId), (nameof(options.ServiceId), options.ServiceId)];
        foreach (var (option, id) in ids)
        {
            if (id is not null && (id.Length is 0 or > LongestId || id.Any(c => c is <= ' ' or > '~')))
            {
                yield return $"{Named(option, id)} must be 1 to {LongestId} printable ASCII characters without spaces. "
                    + "Leave it out to have it derived from SessionActors:KeyPrefix.";
            }
        }

        (string, int?)[] ports = [(nameof(options.SiloPort), options.SiloPort), (nameof(options.GatewayPort), options.GatewayPort)];
        foreach (var (option, port) in ports)
        {
            if (port is < 1 or > IPEndPoint.MaxPort)
            {
                yield return $"{Named(option, port)} must be 1 to {IPEndPoint.MaxPort}. Leave it out for a free port on loopback.";
            }
        }

        if (options.SiloPort is { } both && both == options.GatewayPort)
        {
            yield return $"{Named(nameof(options.SiloPort), both)} and {Named(nameof(options.GatewayPort), both)} are the same port. "
                + "Change one of them.";
        }

        if (!IPAddress.TryParse(options.AdvertisedAddress, out var address) || IsNoOnesOwn(address))
        {
            yield return $"{Named(nameof(options.AdvertisedAddress), options.AdvertisedAddress)} must be the IP address of this machine "
                + "that the other silos and the clients reach it at, such as 10.0.0.5.";
        }
        else if (!IPAddress.IsLoopback(address) && !options.AllowUnprotectedNetwork)
        {
            yield return $"{Named(nameof(options.AdvertisedAddress), address)} opens the silo's ports to a network, and whoever reaches "
                + "them reads and changes every session without a password. If that network is private, say so with "
                + $"SessionActors:{nameof(options.AllowUnprotectedNetwork)}=true; else use 127.0.0.1.";
        }
    }

    private static bool IsNoOnesOwn(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
        || address.Equals(IPAddress.None) || address.Equals(IPAddress.IPv6None);

    private static string Named(string option, object? value) => $"{SessionActorsOptions.Section}:{option} = '{value}'";
}
