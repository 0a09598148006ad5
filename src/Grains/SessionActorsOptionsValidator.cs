using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Every rule on <see cref="SessionActorsOptions"/>. Each message has the configuration path, the value and the mend.</summary>
internal sealed class SessionActorsOptionsValidator : IValidateOptions<SessionActorsOptions>
{
    public const int MaxKeyPrefixLength = 64;

    /// <summary>Past ten years nobody means it, and milliseconds of it no longer fit what the stores calculate with.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>A snapshot crosses silos in one message, and Orleans' messages end at 100 MB.</summary>
    private const int LargestSession = 64 * 1024 * 1024;

    private const int MostProperties = 100_000;
    /// <summary>Each sign-in looks at all of them.</summary>
    private const int MostSessionsPerUser = 1000;

    /// <summary>Many times the hold on a session whose events are told; after a change of the store nothing is ended for so long.</summary>
    private static readonly TimeSpan LeastGrace = Healing.Window;

    private const int MostWaiters = 1_000_000;

    /// <summary>The shortest <see cref="SessionActorsOptions.CollectionAge"/>: what is idle enough to go is stored then.</summary>
    private static readonly TimeSpan LongestFlushDelay = TimeSpan.FromMinutes(1);

    public ValidateOptionsResult Validate(string? name, SessionActorsOptions options)
    {
        var errors = new List<string>();
        CheckTimes(errors, options);
        CheckLeases(errors, options);
        CheckSizes(errors, options);
        CheckFlushes(errors, options);
        CheckUsers(errors, options);
        CheckRedis(errors, options.Redis);
        CheckKeyPrefix(errors, options.KeyPrefix);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckTimes(List<string> errors, SessionActorsOptions options)
    {
        Between(errors, options.Ttl, TimeSpan.FromSeconds(1), Longest);
        Between(errors, options.DeleteExpiry, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1));
        Between(errors, options.CookieKeyLifetime, TimeSpan.FromDays(1), Longest);
        Between(errors, options.EventGrace, 2 * LeastGrace, TimeSpan.FromDays(30));
        if (options.TouchInterval is { } unseen && options.EventGrace < unseen + LeastGrace)
        {
            errors.Add($"{Named(nameof(options.EventGrace), options.EventGrace)} is not {LeastGrace} longer than "
                + $"{Named(nameof(options.TouchInterval), unseen)}, so the end of a session could not be told in time. Raise the first or "
                + "lower the second.");
        }

        Between(errors, options.CollectionAge, TimeSpan.FromMinutes(1), Longest);
        if (options.ServingLease != TimeSpan.Zero)
        {
            Between(errors, options.ServingLease, TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1));
        }

        if (options.AbsoluteLifetime is { } lifetime)
        {
            Between(errors, lifetime, TimeSpan.FromSeconds(1), Longest, nameof(options.AbsoluteLifetime));
            if (lifetime < options.Ttl)
            {
                errors.Add($"{Named(nameof(options.AbsoluteLifetime), lifetime)} is shorter than {Named(nameof(options.Ttl), options.Ttl)}"
                    + ", so no session would ever end for being idle. Raise the lifetime or lower the time-out.");
            }
        }

        if (options.TouchInterval is { } touch)
        {
            Between(errors, touch, TimeSpan.FromMilliseconds(1), Longest, nameof(options.TouchInterval));
            if (touch > options.Ttl)
            {
                errors.Add($"{Named(nameof(options.TouchInterval), touch)} is longer than {Named(nameof(options.Ttl), options.Ttl)}. "
                    + "Lower it, or leave it out for a twentieth of the time-out.");
            }
        }
    }

    private static void CheckLeases(List<string> errors, SessionActorsOptions options)
    {
        Between(errors, options.LockExpiry, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(10));
        Between(errors, options.MaxLease, TimeSpan.FromSeconds(0.5), TimeSpan.FromDays(1));
        Between(errors, options.LeaseWait, TimeSpan.Zero, SessionRequest.MaxPatience);
        if (options.CrossCluster is not null)
        {
            Between(errors, options.RetryTime, TimeSpan.FromMilliseconds(1), options.LockExpiry);
        }

        if (options.MaxLease < options.LockExpiry)
        {
            errors.Add($"{Named(nameof(options.MaxLease), options.MaxLease)} is shorter than "
                + $"{Named(nameof(options.LockExpiry), options.LockExpiry)}. Raise the first or lower the second.");
        }
    }

    private static void CheckSizes(List<string> errors, SessionActorsOptions options)
    {
        Between(errors, options.MaxPropertyBytes, 1, LargestSession);
        Between(errors, options.MaxSessionBytes, 1, LargestSession);
        Between(errors, options.MaxProperties, 1, MostProperties);
        Between(errors, options.MaxWaiters, 1, MostWaiters);
        if (options.MaxPropertyBytes > options.MaxSessionBytes)
        {
            errors.Add($"{Named(nameof(options.MaxPropertyBytes), options.MaxPropertyBytes)} is more than "
                + $"{Named(nameof(options.MaxSessionBytes), options.MaxSessionBytes)}: a property that large would never fit. "
                + "Lower the first or raise the second.");
        }
    }

    private static void CheckUsers(List<string> errors, SessionActorsOptions options)
    {
        if (options.MaxSessionsPerUser is { } most)
        {
            Between(errors, most, 1, MostSessionsPerUser, nameof(options.MaxSessionsPerUser));
        }

        Between(errors, options.RotationGrace, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        if (!Enum.IsDefined(options.OnSessionLimit))
        {
            errors.Add($"{Named(nameof(options.OnSessionLimit), options.OnSessionLimit)} must be "
                + $"{nameof(SessionLimitBehaviour.EndOldest)} or {nameof(SessionLimitBehaviour.RefuseNew)}.");
        }
    }

    private static void CheckFlushes(List<string> errors, SessionActorsOptions options)
    {
        if (!Enum.IsDefined(options.FlushMode))
        {
            errors.Add($"{Named(nameof(options.FlushMode), options.FlushMode)} must be {nameof(FlushMode.WriteThrough)} or "
                + $"{nameof(FlushMode.WriteBehind)}.");
        }

        Between(errors, options.FlushDelay, TimeSpan.FromMilliseconds(10), LongestFlushDelay);
        Between(errors, options.MaxPendingBytes, 1024, LargestSession);
        if (options is { FlushMode: FlushMode.WriteBehind, CrossCluster: not null })
        {
            errors.Add($"{Named(nameof(options.FlushMode), options.FlushMode)} acknowledges changes before they are in Redis, and "
                + $"{SessionActorsOptions.Section}:{nameof(options.CrossCluster)} promises the other clusters to see there all that was "
                + $"acknowledged. Set {nameof(options.FlushMode)} to {nameof(FlushMode.WriteThrough)}, or leave "
                + $"{nameof(options.CrossCluster)} out.");
        }
    }

    // The value is left out of these two messages: it may hold a password.
    private static void CheckRedis(List<string> errors, string? redis)
    {
        const string path = $"{SessionActorsOptions.Section}:{nameof(SessionActorsOptions.Redis)}";
        if (redis is null)
        {
            return;
        }

        if (string.IsNullOrWhiteSpace(redis))
        {
            // Not taken for "not set": a missing secret must not turn a cluster into many lonely silos.
            errors.Add($"{path} is empty. Set it to an address such as 127.0.0.1:6379, or leave it out altogether.");
            return;
        }

        try
        {
            if (ConfigurationOptions.Parse(redis).EndPoints.Count == 0)
            {
                errors.Add($"{path} names no server. Begin it with an address, such as 127.0.0.1:6379.");
            }
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            errors.Add($"{path} cannot be read ({e.Message.ReplaceLineEndings(" ")}). "
                + "Write it as StackExchange.Redis does: 127.0.0.1:6379,password=…,ssl=true");
        }
    }

    private static void CheckKeyPrefix(List<string> errors, string prefix)
    {
        // '@' starts the names of what is no session; braces would put every key of a Redis Cluster on one node.
        if (prefix is not { Length: > 0 and <= MaxKeyPrefixLength } || !char.IsAsciiLetterOrDigit(prefix[0])
            || !prefix.All(c => char.IsAsciiLetterOrDigit(c) || ":._-/".Contains(c, StringComparison.Ordinal)))
        {
            errors.Add($"{SessionActorsOptions.Section}:{nameof(SessionActorsOptions.KeyPrefix)} = '{prefix}' must be 1 to "
                + $"{MaxKeyPrefixLength} characters from A-Z a-z 0-9 : . _ - / and start with a letter or digit, such as 'shop:session:'.");
        }
    }

    private static void Between<T>(
        List<string> errors, T value, T least, T most, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            var name = option[(option.LastIndexOf('.') + 1)..];
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{Named(name, value)} must be {least} to {most}."));
        }
    }

    private static string Named<T>(string option, T value) =>
        string.Create(CultureInfo.InvariantCulture, $"{SessionActorsOptions.Section}:{option} = {value}");
}
