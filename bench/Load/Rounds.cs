namespace SessionActors.LoadBench;

/// <summary>
/// Cells of a table, each measured once in every round, so that whatever else the machine does hits all of them. A cell is what is asked of
/// which server.
/// </summary>
internal sealed class Rounds<TCell>(string part, IEnumerable<TCell> cells)
    where TCell : notnull
{
    private const int WarmUpSeconds = 1;
    private const double Warm = 0.01;

    private readonly Dictionary<TCell, List<Load>> _loads = cells.ToDictionary(cell => cell, _ => new List<Load>());

    /// <summary>How far what is said of the cells can be trusted.</summary>
    public string Quality
    {
        get
        {
            var spread = _loads.Values.Max(
                loads => Math.Max(Spread(loads, load => load.PerSecond), Spread(loads, load => load.Microseconds)));
            return $"Largest spread of one figure between rounds: × {spread:0.0}. The JIT compiler was busy for at most "
                + $"{_loads.Values.SelectMany(loads => loads).Max(load => load.Compiling):P0} of a run.";
        }
    }

    /// <summary>Runs each cell until the JIT compiler has little left to do, and then in rounds.</summary>
    /// <param name="seconds">How long a run is.</param>
    /// <param name="rounds">How many there are.</param>
    /// <param name="longestWarmUp">After how many runs of a second a cell is measured whatever the JIT compiler does.</param>
    /// <param name="run">Measures a cell for a number of seconds.</param>
    public async Task RunAsync(int seconds, int rounds, int longestWarmUp, Func<TCell, int, Task<Load>> run)
    {
        await Console.Error.WriteLineAsync($"{part}, warming up");
        foreach (var cell in _loads.Keys)
        {
            for (var i = 0; i < longestWarmUp && (await run(cell, WarmUpSeconds)).Compiling > Warm; i++)
            {
            }
        }

        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"{part}, round {round} of {rounds}");
            foreach (var (cell, loads) in _loads)
            {
                loads.Add(await run(cell, seconds));
            }
        }
    }

    /// <summary>The median of a figure over the rounds; null where the server cannot tell.</summary>
    public double? Median(TCell cell, Func<Load, double?> figure) =>
        _loads[cell].All(load => figure(load) is not null) ? Machine.Median(_loads[cell].Select(load => figure(load)!.Value)) : null;

    /// <summary>A figure as a multiple of another cell's.</summary>
    public double Ratio(TCell cell, TCell peer, Func<Load, double?> figure) => Median(cell, figure)!.Value / Median(peer, figure)!.Value;

    private static double Spread(List<Load> loads, Func<Load, double> figure) => loads.Max(figure) / loads.Min(figure);
}
