using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Refuses times in the configuration that .NET takes for days without being told so: <c>Ttl=30</c>, by which people mean seconds or
/// minutes, and <c>Ttl=24:00:00</c>, which is 24 days. The options no longer show it, so this looks at what was written.
/// </summary>
internal sealed class ConfiguredTimes<TOptions>(IConfiguration configuration) : IValidateOptions<TOptions>
    where TOptions : class
{
    private const string Section = "SessionActors";

    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        var errors = configuration.GetSection(Section).AsEnumerable(makePathsRelative: true)
            .Where(setting => setting.Value is not null && TypeAt(setting.Key) == typeof(TimeSpan))
            .Select(setting => Check(setting.Key, setting.Value!)).OfType<string>().ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static string? Check(string path, string value) =>
        TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) && time.Days > 0 && !SaysDays(value)
            ? $"{Section}:{path} = {value} would be {time.Days} days. Write hours, minutes and seconds, such as 00:00:30 or 00:30:00 "
                + $"and up to 23:59:59, with days before a point, such as {time}."
            : null;

    private static bool SaysDays(string value) => value.Contains('.', StringComparison.Ordinal) || value.Count(c => c == ':') > 2;

    private static Type? TypeAt(string path) => path.Split(':').Aggregate((Type?)typeof(TOptions), (type, name) =>
    {
        var found = type?.GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)?.PropertyType;
        return found is null ? null : Nullable.GetUnderlyingType(found) ?? found;
    });
}
