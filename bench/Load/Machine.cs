using System.Runtime.InteropServices;

namespace SessionActors.LoadBench;

/// <summary>What the figures were measured on, and where they are written down.</summary>
internal static class Machine
{
    private const string Begin = "<!-- figures -->";
    private const string End = "<!-- end of figures -->";

    /// <param name="seconds">How long runs are.</param>
    /// <param name="shorter">How long they are in all parts but <c>load</c>.</param>
    /// <param name="rounds">How often all are repeated.</param>
    public static IEnumerable<string> Describe(int seconds, int shorter, int rounds)
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return
        [
            $"Measured on {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores "
                + $"({processor?.Split(':')[1].Trim() ?? "unknown"}), {RuntimeInformation.FrameworkDescription}; "
                + $"load average before the run {File.ReadAllText("/proc/loadavg").Split(' ')[0]}. "
                + $"Medians of {rounds} rounds, of {seconds} s (load) or {shorter} s (all else).",
        ];
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>A ratio with two or three digits that say something, however large or small it is.</summary>
    public static string Times(double ratio) => ratio switch
    {
        >= 100 => $"× {ratio:N0}",
        >= 10 => $"× {ratio:0.0}",
        >= 0.1 => $"× {ratio:0.00}",
        _ => $"× {ratio:0.0000}",
    };

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
