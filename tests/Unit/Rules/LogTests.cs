using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace SessionActors.Rules;

public sealed partial class LogTests
{
    private static readonly (MethodInfo Method, LoggerMessageAttribute Message)[] Lines =
    [
        .. from type in Repository.ProductTypes
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
           from message in method.GetCustomAttributes<LoggerMessageAttribute>()
           select (method, message),
    ];

    [Fact]
    public void Every_log_event_has_an_id_of_its_own() => Repository.None(
        Lines.GroupBy(l => l.Message.EventId).Where(g => g.Count() > 1)
            .Select(g => $"{g.Key}: {string.Join(", ", g.Select(l => l.Method.Name))}"),
        "Give each of these log events an id of its own:");

    [Fact]
    public void Every_log_event_is_in_the_range_of_its_project()
    {
        var ranges = new Dictionary<string, int> { ["Grains"] = 1000, ["WebAdapter"] = 2000, ["Silo"] = 3000 };
        var projects = Repository.Product.ToDictionary(p => p.Value, p => p.Key);

        Repository.None(
            from line in Lines
            let first = ranges[projects[line.Method.DeclaringType!.Assembly]]
            where line.Message.EventId < first || line.Message.EventId > first + 999
            select $"{line.Method.Name} has {line.Message.EventId}, its project {first} to {first + 999}",
            "Move these log events into their project's range:");
        Assert.NotEmpty(Lines);
    }

    [Fact]
    public void No_log_line_can_be_given_a_secret_or_a_handle()
    {
        Type[] secret = [typeof(SecretHash), typeof(SessionToken), typeof(SessionHandle), typeof(CookieKey), typeof(CookieKeyRing)];

        Repository.None(
            from line in Lines
            from parameter in line.Method.GetParameters()
            where secret.Contains(Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType)
            select $"{line.Method.Name}({parameter.ParameterType.Name} {parameter.Name})",
            "A log names a session by the hash of its handle and nothing else:");
    }

    [Fact]
    public void The_operations_page_lists_every_log_event_and_no_other()
    {
        var rows = LogRow().Matches(Repository.Read("docs/operations.md"));
        var listed = rows.Select(row => (Id: int.Parse(row.Groups[1].Value, null), Level: row.Groups[2].Value)).ToList();

        Assert.Equal(Lines.Select(l => (Id: l.Message.EventId, Level: $"{l.Message.Level}")).Order(), listed.Order());
    }

    [Fact]
    public void The_operations_page_lists_every_metric_with_its_meter_and_no_other()
    {
        var made = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name is SessionMetrics.MeterName or WebMetrics.MeterName)
            {
                made.Add($"{instrument.Meter.Name} {instrument.Name} {instrument.Unit}");
            }
        };
        listener.Start();
        using var meters = new Meters();
        _ = new SessionMetrics(meters);
        _ = new WebMetrics(meters);

        var rows = MetricRow().Matches(Repository.Read("docs/operations.md"));
        var listed = rows.Select(row => $"{row.Groups[2].Value} {row.Groups[1].Value} {row.Groups[3].Value}");

        Assert.Equal(made.Distinct().Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    // | 1000 | Information | …
    [GeneratedRegex(@"^\| (\d{4}) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex LogRow();

    // | `name` | `meter` | `unit` | …
    [GeneratedRegex(@"^\| `(sessionactors\.[^`]+)` \| `([^`]+)` \| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _made = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            _made.Add(meter);
            return meter;
        }

        public void Dispose() => _made.ForEach(meter => meter.Dispose());
    }
}
