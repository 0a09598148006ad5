using System.Globalization;

namespace SessionActors;

/// <summary>
/// The protocol core under faults, a seed at a time. <c>SIMULATION_SEEDS</c> says how many (default 3,000) and
/// <c>SIMULATION_FROM</c> the first (default 1); <c>SIMULATION_SEED</c> runs one alone and prints its trace.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int MostShown = 3;

    [Fact]
    public void No_seed_breaks_a_promise()
    {
        if (Setting("SIMULATION_SEED") is { } alone)
        {
            var result = Simulation.Run(alone, traces: true);
            output.WriteLine(result.ToString());
            Assert.True(result.Problems.Count == 0, result.ToString());
            return;
        }

        var (from, count) = (Setting("SIMULATION_FROM") ?? 1, Setting("SIMULATION_SEEDS") ?? 3000);
        var (failed, calls, unknown) = (new List<ulong>(), 0L, 0L);
        for (var seed = from; seed < from + count; seed++)
        {
            var result = Simulation.Run(seed);
            calls += result.Calls;
            unknown += result.Unknown;
            if (result.Problems.Count > 0)
            {
                failed.Add(seed);
            }
        }

        var traces = failed.Take(MostShown).Select(seed => Simulation.Run(seed, traces: true));
        output.WriteLine($"{count} seeds from {from}, {calls} calls, {unknown} of them unknown, {failed.Count} seeds failed");
        Assert.True(failed.Count == 0, $"{failed.Count} of {count} seeds failed: {string.Join(' ', failed.Take(50))}\n"
            + string.Join("\n\n", traces));
    }

    [Fact]
    public void Same_seed_gives_the_same_run()
    {
        for (var seed = 1UL; seed <= 200; seed++)
        {
            var (first, second) = (Simulation.Run(seed, traces: true), Simulation.Run(seed, traces: true));

            Assert.Equal(first.Trace, second.Trace);
            Assert.Equal(first.Hash, second.Hash);
        }
    }

    [Fact]
    public void Other_seed_gives_another_run() =>
        Assert.Equal(100, Enumerable.Range(1, 100).Select(seed => Simulation.Run((ulong)seed).Hash).Distinct().Count());

    private static ulong? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
