using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace SessionActors.Rules;

/// <summary>
/// The tables of options in README.md, one below a line that begins with the name of the options' class in bold:
/// <code>| `Name` | default | unit | effect |</code>
/// The defaults are those that the code has.
/// </summary>
public sealed partial class OptionTableTests
{
    [Theory]
    [InlineData(typeof(SessionActorsOptions))]
    [InlineData(typeof(SessionSiloOptions))]
    [InlineData(typeof(ActorSessionOptions))]
    public void The_readme_tells_the_default_of_every_option(Type type)
    {
        var options = Activator.CreateInstance(type)!;
        var told = Rows(type.Name).ToDictionary(row => row.Option, row => row.Default);

        var missing = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(p => p.Name)
            .Where(name => !told.Keys.Any(option => option == name || option.StartsWith(name + ':', StringComparison.Ordinal)));
        var wrong = told.Where(row => row.Value != Text(row.Key, Value(options, row.Key)))
            .Select(row => $"{row.Key} is {Text(row.Key, Value(options, row.Key))}, not {row.Value}");

        Repository.None(missing.Select(name => $"{name} is missing").Concat(wrong), $"README.md is out of step with {type.Name}:");
    }

    [Fact]
    public void Every_option_that_a_page_sets_is_one()
    {
        var options = new[] { typeof(SessionActorsOptions), typeof(SessionSiloOptions), typeof(ActorSessionOptions) }
            .SelectMany(type => type.GetProperties()).Select(property => property.Name).Append("X").ToHashSet();

        Repository.None(
            from page in Repository.Files(["docs", "src", "bench"], ".md").Prepend("README.md")
            from name in Set().Matches(Repository.Read(page)).Select(m => m.Groups[1].Value).Distinct()
            where !options.Contains(name)
            select $"{page}: {name}",
            "These pages name options that are none:");
    }

    private static IEnumerable<(string Option, string Default)> Rows(string type)
    {
        var lines = Repository.Read("README.md").Split('\n')
            .SkipWhile(line => !line.StartsWith($"**`{type}`**", StringComparison.Ordinal))
            .Skip(1).SkipWhile(line => line.Length == 0).TakeWhile(line => line.StartsWith('|'));
        return lines.Select(line => Row().Match(line)).Where(m => m.Success)
            .Select(m => (m.Groups[1].Value, m.Groups[2].Value.Trim().Trim('`')));
    }

    /// <summary>The value at a path such as <c>Cookie:Name</c>.</summary>
    private static object? Value(object options, string path) => path.Split(':').Aggregate((object?)options, (value, name) =>
        (value!.GetType().GetProperty(name) ?? throw new InvalidOperationException($"{value.GetType().Name} has no property {name}."))
            .GetValue(value));

    private static string Text(string option, object? value) => value switch
    {
        null => "not set",
        bool flag => flag ? "true" : "false",
        TimeSpan { TotalMinutes: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.##} min"),
        TimeSpan time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s"),
        int bytes when option.EndsWith("Bytes", StringComparison.Ordinal) => bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : $"{bytes >> 10} KiB",
        int count => count.ToString("N0", CultureInfo.InvariantCulture),
        IEnumerable and not string => throw new InvalidOperationException($"{option} is a collection: say here how README.md shows it."),
        _ => value.ToString()!,
    };

    [GeneratedRegex(@"^\| `([\w:]+)` \| ([^|]+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"SessionActors(?::|__)([A-Za-z]+)")]
    private static partial Regex Set();
}
