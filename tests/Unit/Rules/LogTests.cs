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
    public void Every_log_event_is_source_generated() => Repository.None(
        from path in Repository.Files(["src"], ".cs")
        from call in LogCall().Matches(Repository.Read(path))
        select $"{path}: {call.Value}",
        "Declare these log events in their project's file, with an id:");

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
    public void The_operations_page_lists_every_metric_with_its_kind_and_unit_and_no_other()
    {
        using var meters = new Meters();
        _ = new SessionMetrics(meters);
        _ = new WebMetrics(meters);
        var made = Instruments().Select(instrument => $"{instrument.Name} {KindOf(instrument)} {instrument.Unit}");

        var rows = MetricRow().Matches(Repository.Read("docs/operations.md"));
        var listed = rows.Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value} {row.Groups[3].Value}");

        Assert.Equal(made.Distinct().Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_takes_seconds_is_not_measured_in_buckets_of_five()
    {
        using var meters = new Meters();
        _ = new SessionMetrics(meters);

        Repository.None(
            from histogram in Instruments().OfType<Histogram<double>>()
            where histogram.Advice?.HistogramBucketBoundaries is not [< 0.01, ..]
            select histogram.Name,
            "Give these buckets that fit what they measure (InstrumentAdvice): those of .NET's own choice begin at 5 s:");
    }

    [Fact]
    public void The_operations_page_lists_every_span_and_no_other()
    {
        var started = Repository.Files(["src"], ".cs").SelectMany(path => SpanName().Matches(Repository.Read(path)));
        var listed = SpanRow().Matches(Repository.Read("docs/operations.md"));

        Assert.Equal(
            started.Select(name => name.Groups[1].Value).Distinct().Order(StringComparer.Ordinal),
            listed.Select(row => row.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    // Those of all tests, each of which has made them all.
    private static List<Instrument> Instruments()
    {
        var made = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == SessionTelemetry.Name)
                {
                    made.Add(instrument);
                }
            },
        };
        listener.Start();
        return made;
    }

    private static string KindOf(Instrument instrument) => instrument switch
    {
        Counter<long> => "counter",
        Histogram<long> or Histogram<double> => "histogram",
        UpDownCounter<long> or ObservableUpDownCounter<int> => "up-down",
        _ => throw new InvalidOperationException($"Say here what {instrument.Name} is."),
    };

    // | 1000 | Information | …
    [GeneratedRegex(@"^\| (\d{4}) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex LogRow();

    [GeneratedRegex(@"\.Log(?:Trace|Debug|Information|Warning|Error|Critical|)\([^)]*")]
    private static partial Regex LogCall();

    // Start("open session", …), AskAsync("load session", …)
    [GeneratedRegex(@"(?:Start|AskAsync)\(\s*""([a-z]+ session)""")]
    private static partial Regex SpanName();

    // | `open session` | …
    [GeneratedRegex(@"^\| `([a-z]+ session)` \|", RegexOptions.Multiline)]
    private static partial Regex SpanRow();

    // | `name` | kind | `unit` | …
    [GeneratedRegex(@"^\| `(sessionactors\.[^`]+)` \| ([^`]+) \| `([^`]+)` \|", RegexOptions.Multiline)]
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
