using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Checks the options when the host starts and tells everything that is wrong at once.</summary>
internal sealed class ActorSessionOptionsValidator : IValidateOptions<ActorSessionOptions>
{
    // What a timer of the runtime can wait at most.
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    public ValidateOptionsResult Validate(string? name, ActorSessionOptions options)
    {
        var errors = new List<string>();
        if (options.Cookie is { } cookie)
        {
            CheckCookie(cookie, errors);
        }
        else
        {
            errors.Add("SessionActors:Cookie is null. Change the properties of the one that is there.");
        }

        if (!Enum.IsDefined(options.OnUnavailable))
        {
            errors.Add($"SessionActors:OnUnavailable is {options.OnUnavailable}. Set it to Fail or Ignore.");
        }

        if (!Enum.IsDefined(options.OnConflict))
        {
            errors.Add($"SessionActors:OnConflict is {options.OnConflict}. Set it to LastWriterWins or Refuse.");
        }

        if (!IsToken(options.HeaderName ?? ""))
        {
            errors.Add($"SessionActors:HeaderName is '{options.HeaderName}'. Use letters, digits and '-', as in Session-Token.");
        }

        if (options.AbsoluteLifetime is { } lifetime && (lifetime < SessionDelta.MinTtl || lifetime > SessionDelta.MaxTtl))
        {
            errors.Add($"SessionActors:AbsoluteLifetime is {lifetime}. Set it to 1 s to 3650 days, or leave it out for none.");
        }

        if (!Enum.IsDefined(options.OnOldSecret))
        {
            errors.Add($"SessionActors:OnOldSecret is {options.OnOldSecret}. Set it to Detach or EndSession.");
        }

        if (options.ImportFrom is { } from && !IsToken(from.Cookie?.Name ?? ""))
        {
            errors.Add($"SessionActors:ImportFrom:Cookie:Name is '{from.Cookie?.Name}'. Set it to what SessionOptions.Cookie.Name was.");
        }

        if (options.SnapshotCacheBytes < 0)
        {
            errors.Add($"SessionActors:SnapshotCacheBytes is {options.SnapshotCacheBytes}. Set it to 0, for none, or more.");
        }

        if (options.IOTimeout != Timeout.InfiniteTimeSpan && (options.IOTimeout <= TimeSpan.Zero || options.IOTimeout > LongestTimeout))
        {
            errors.Add($"SessionActors:IOTimeout is {options.IOTimeout}. Set it to more than zero and less than 49 days, "
                + "or to Timeout.InfiniteTimeSpan for none.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckCookie(CookieBuilder cookie, List<string> errors)
    {
        if (cookie.Name is null || !IsToken(cookie.Name))
        {
            errors.Add($"SessionActors:Cookie:Name is '{cookie.Name}'. Use letters, digits and '.', '-' or '_', "
                + "as in .AspNetCore.Session.");
        }

        if (cookie.Expiration is not null)
        {
            errors.Add($"SessionActors:Cookie:Expiration is {cookie.Expiration}. Leave it unset; set Ttl of the session (IActorSession) "
                + "where one shall outlive the browser.");
        }

        if (cookie is { SameSite: SameSiteMode.None, SecurePolicy: CookieSecurePolicy.None })
        {
            errors.Add("SessionActors:Cookie has SameSite None and SecurePolicy None, which browsers refuse. Set SecurePolicy to Always.");
        }

        var host = cookie.Name?.StartsWith("__Host-", StringComparison.Ordinal) == true;
        if (host && (cookie.Path != "/" || cookie.Domain is not null))
        {
            errors.Add($"SessionActors:Cookie:Name is '{cookie.Name}', which browsers accept only with Path '/' and no Domain; they are "
                + $"'{cookie.Path}' and '{cookie.Domain}'.");
        }

        if ((host || cookie.Name?.StartsWith("__Secure-", StringComparison.Ordinal) == true)
            && cookie.SecurePolicy == CookieSecurePolicy.None)
        {
            errors.Add($"SessionActors:Cookie:Name is '{cookie.Name}', which browsers accept only from HTTPS. Set SecurePolicy to Always.");
        }
    }

    private static bool IsToken(string name)
    {
        try
        {
            return name.Length > 0 && new Microsoft.Net.Http.Headers.SetCookieHeaderValue(name).Name == name;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
