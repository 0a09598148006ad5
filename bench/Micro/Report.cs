using System.Globalization;

namespace SessionActors.MicroBench;

/// <summary>Figures as tables of markdown.</summary>
internal static class Report
{
    /// <summary>A row for each figure.</summary>
    public static IEnumerable<string> Table(string title, IEnumerable<Figure> figures) =>
    [
        "",
        $"| {title} | mean | allocated |",
        "| --- | --- | --- |",
        .. figures.Select(figure => $"| {figure.Name} | {Time(figure)} | {Bytes(figure)} |"),
    ];

    /// <summary>What depends on the size of the session in a table with a column for each size, all else in one below.</summary>
    public static IEnumerable<string> OfPure(IReadOnlyList<Figure> figures)
    {
        var byName = figures.ToDictionary(figure => figure.Name);
        var bySize = PureOperation.All.Where(operation => operation.Properties is not null).GroupBy(operation => operation.What);
        return
        [
            "",
            $"| in a session of | {string.Join(" | ", SampleSession.Sizes.Select(size => $"{size:N0}"))} |",
            $"| --- |{string.Concat(SampleSession.Sizes.Select(_ => " --- |"))}",
            .. bySize.Select(sizes => $"| {sizes.Key} | {string.Join(" | ", sizes.Select(size => Both(byName[size.Name])))} |"),
            .. Table("whatever its size", PureOperation.All.Where(o => o.Properties is null).Select(o => byName[o.Name])),
        ];
    }

    private static string Both(Figure figure) => $"{Time(figure)}, {Bytes(figure)}";

    private static string Time(Figure figure) => figure.Nanoseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{figure.Nanoseconds:0.0} ns"),
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{figure.Nanoseconds:N0} ns"),
        var longer => string.Create(CultureInfo.InvariantCulture, $"{longer / 1000:N0} µs"),
    };

    private static string Bytes(Figure figure) => string.Create(CultureInfo.InvariantCulture, $"{figure.Bytes:N0} B");
}
