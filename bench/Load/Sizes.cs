namespace SessionActors.LoadBench;

/// <summary>Read and write of one property in sessions that hold more and more besides.</summary>
internal static class Sizes
{
    // Few, so that what the sessions hold together stays small beside a machine's memory.
    private const int Sessions = 16;

    // Each server's endpoints are warm after the first sizes.
    private const int LongestWarmUp = 1;

    private static readonly int[] Kilobytes = [1, 10, 100, 1000];
    private static readonly string[] Paths = ["/read", "/write"];

    private static readonly ServerKind[] Kinds =
        [ServerKind.StockMemory, ServerKind.ActorEmbedded, ServerKind.StockRedis, ServerKind.ActorRedis];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        using var peers = await Peers.StartAsync(redis, [ServerKind.Bare, .. Kinds]);
        // A bare server's sessions have no size: it is measured once, as if they were empty.
        await peers.FillAsync(ServerKind.Bare, "0", Sessions);
        foreach (var kind in Kinds)
        {
            foreach (var kilobytes in Kilobytes)
            {
                await peers.FillAsync(kind, $"{kilobytes}", Sessions, $"/fill/{kilobytes}");
            }
        }

        var cells = new Rounds<(ServerKind Kind, int Kilobytes, string Path)>("sizes", Paths.SelectMany(CellsOf));
        await cells.RunAsync(
            seconds, rounds, LongestWarmUp, (cell, time) => peers.LoadAsync(cell.Kind, cell.Path, $"{cell.Kilobytes}", Sessions, time));
        return
        [
            .. Table("requests per second", load => load.PerSecond, bare => $"{bare:N0}"),
            .. Table("processor time per request, application and Redis", load => load.Microseconds, bare => $"{bare:0.0} µs"),
            "",
            cells.Quality,
        ];

        IEnumerable<string> Table(string what, Func<Load, double?> figure, Func<double, string> absolute) =>
        [
            "",
            $"| {what} / bare ({string.Join(", ", Paths.Select(path => $"{path[1..]} {absolute(Bare(path, figure))}"))}) "
                + $"| {string.Join(" | ", Kilobytes.Select(kilobytes => $"{kilobytes:N0} kB"))} |",
            $"| --- |{string.Concat(Kilobytes.Select(_ => " --- |"))}",
            .. Paths.SelectMany(path => Kinds.Select(kind => $"| {path[1..]}: {kind.Name()} | {Row(kind, path, figure)} |")),
        ];

        IEnumerable<(ServerKind, int, string)> CellsOf(string path) =>
            [(ServerKind.Bare, 0, path), .. Kilobytes.SelectMany(kilobytes => Kinds.Select(kind => (kind, kilobytes, path)))];

        double Bare(string path, Func<Load, double?> figure) => cells.Median((ServerKind.Bare, 0, path), figure)!.Value;

        string Row(ServerKind kind, string path, Func<Load, double?> figure) => string.Join(" | ", Kilobytes.Select(kilobytes =>
            Machine.Times(cells.Ratio((kind, kilobytes, path), (ServerKind.Bare, 0, path), figure))));
    }
}
