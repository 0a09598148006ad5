using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>What a run of wrk has shown.</summary>
internal readonly record struct WrkResult(double Requests, double Microseconds, TimeSpan Median, TimeSpan Percentile99)
{
    public double PerSecond => Requests * 1e6 / Microseconds;
}

/// <summary>Which of the sessions in a file a request is for.</summary>
internal enum Access
{
    /// <summary>One after the other.</summary>
    InTurn,

    /// <summary>
    /// Some far more often than others: the second half as often as the first, the third a third. Of five requests four go to
    /// <c>/read</c> and one to <c>/write</c>, whatever the address says. The same sequence for every server.
    /// </summary>
    Zipf,
}

/// <summary>Makes load by wrk.</summary>
internal static class Wrk
{
    /// <summary>Sends requests as fast as they are answered, with the cookies in a file.</summary>
    /// <exception cref="InvalidOperationException">Requests have failed, or took longer than half a minute.</exception>
    public static async Task<WrkResult> RunAsync(
        string url, string cookies, int connections, int seconds, Access access = Access.InTurn)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "sessions.lua");
        using var wrk = new Child(
            "wrk", "-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "-s", script, url, "--", cookies, $"{access}");
        var output = await wrk.FinishAsync();
        var line = output.Split('\n').Single(line => line.StartsWith("result ", StringComparison.Ordinal)).Split(' ');
        return Number(line[3]) == 0
            ? new WrkResult(
                Number(line[1]), Number(line[2]), TimeSpan.FromMicroseconds(Number(line[4])), TimeSpan.FromMicroseconds(Number(line[5])))
            : throw new InvalidOperationException($"Requests to {url} have failed:\n{output}");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
