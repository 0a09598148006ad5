using System.Runtime.InteropServices;

namespace SessionActors.LoadBench;

/// <summary>What the figures were measured on, and where they are written down.</summary>
internal static class Machine
{
    private const string Begin = "<!-- figures -->";
    private const string End = "<!-- end of figures -->";

    public static IEnumerable<string> Describe(int seconds, int rounds)
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return
        [
            $"Measured on {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores "
                + $"({processor?.Split(':')[1].Trim() ?? "unknown"}), {RuntimeInformation.FrameworkDescription}; "
                + $"load average before the run {File.ReadAllText("/proc/loadavg").Split(' ')[0]}. "
                + $"Medians of {rounds} rounds of {seconds} s.",
        ];
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>Puts the report between the two marks of a page.</summary>
    public static void Replace(string page, IEnumerable<string> report)
    {
        var text = File.ReadAllText(page);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new InvalidOperationException($"{page} has no place for the figures: it needs the lines {Begin} and {End}.");
        }

        File.WriteAllText(page, $"{text[..(begin + Begin.Length)]}\n\n{string.Join('\n', report)}\n\n{text[end..]}");
    }
}
