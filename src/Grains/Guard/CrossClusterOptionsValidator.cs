using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Every rule on <see cref="CrossClusterOptions"/>, as a part of checking <see cref="SessionActorsOptions"/>. Values are left out of the
/// messages: they may hold passwords.
/// </summary>
internal sealed class CrossClusterOptionsValidator(IServiceProviderIsService services, IConfiguration configuration)
    : IValidateOptions<SessionActorsOptions>
{
    private const string Path = $"{SessionActorsOptions.Section}:{nameof(SessionActorsOptions.CrossCluster)}";
    private const string Masters = $"{Path}:{nameof(CrossClusterOptions.Redlock)}";

    public ValidateOptionsResult Validate(string? name, SessionActorsOptions options)
    {
        // A word where the section belongs would be overlooked without one.
        string[] overlooked = string.IsNullOrWhiteSpace(configuration[Path]) ? [] :
        [
            $"{Path} is a text instead of a section. Name the masters as {Masters}:0 and so on.",
        ];
        List<string> errors = [.. overlooked, .. options.CrossCluster is { } crossCluster ? Check(options, crossCluster) : []];
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private IEnumerable<string> Check(SessionActorsOptions options, CrossClusterOptions crossCluster)
    {
        if (options.Redis is null && !services.IsService(typeof(IConnectionMultiplexer)))
        {
            yield return $"{Path} is set, but not {SessionActorsOptions.Section}:{nameof(options.Redis)}: the embedded store belongs to "
                + $"one process, so there are no other clusters to guard against. Set {nameof(options.Redis)} to the Redis that the "
                + $"clusters share, or leave {nameof(options.CrossCluster)} out.";
        }

        if (crossCluster.Redlock.Count is not (1 or 3 or 5))
        {
            yield return $"{Masters} has {crossCluster.Redlock.Count} lock masters. Name 1, 3 or 5, such as "
                + "SessionActors__CrossCluster__Redlock__0=127.0.0.1:6380; with an even number none more may fail than with one less.";
        }

        var known = new HashSet<EndPoint>();
        for (var i = 0; i < crossCluster.Redlock.Count; i++)
        {
            var (master, error) = Parse(crossCluster.Redlock[i]);
            if (error is not null)
            {
                yield return $"{Masters}:{i} {error} Write it as StackExchange.Redis does: 127.0.0.1:6380,password=…,ssl=true";
            }
            else if (!known.Add(master!))
            {
                yield return $"{Masters}:{i} is the same server as one before it. One server has one vote: name another.";
            }
        }
    }

    private static (EndPoint? Master, string? Error) Parse(string? configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration))
        {
            return (null, "is empty.");
        }

        try
        {
            var endPoints = ConfigurationOptions.Parse(configuration).EndPoints;
            return endPoints.Count == 1 ? (endPoints[0], null) : (null, $"names {endPoints.Count} servers instead of one.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return (null, $"cannot be read ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}).");
        }
    }
}
