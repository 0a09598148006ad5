namespace SessionActors.LoadBench;

/// <summary>All servers under load, at endpoints that do not touch the session, read it and write it.</summary>
internal static class LoadRounds
{
    private const int Sessions = 64;
    private const string Cookies = "small";

    // The JIT compiler needs tens of thousands of requests before it has little left to do.
    private const int LongestWarmUp = 8;

    private static readonly string[] Paths = ["/none", "/read", "/write"];

    /// <param name="redis">Where sessions are kept.</param>
    /// <param name="express">The script of <see cref="ServerKind.Express"/>; null where it cannot run.</param>
    /// <param name="seconds">How long a run is.</param>
    /// <param name="rounds">How often all are measured.</param>
    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, string? express, int seconds, int rounds)
    {
        var kinds = Enum.GetValues<ServerKind>().Where(kind => kind != ServerKind.Express || express is not null).ToList();
        using var peers = await Peers.StartAsync(redis, kinds.Where(kind => kind != ServerKind.Express));
        if (express is not null)
        {
            peers.Add(ServerKind.Express, await ServerProcess.StartExpressAsync(express, redis));
        }

        foreach (var kind in kinds)
        {
            await peers.FillAsync(kind, Cookies, Sessions);
        }

        var cells = new Rounds<(ServerKind Kind, string Path)>("load", Paths.SelectMany(path => kinds.Select(kind => (kind, path))));
        await cells.RunAsync(
            seconds, rounds, LongestWarmUp, (cell, time) => peers.LoadAsync(cell.Kind, cell.Path, Cookies, Sessions, time));
        return
        [
            .. Table("requests per second", load => load.PerSecond, bare => $"{bare:N0}", Ratio),
            .. Table("processor time per request, application and Redis", load => load.Microseconds, bare => $"{bare:0.0} µs", Ratio),
            .. Table(
                "allocated per request", load => load.AllocatedBytes, bare => $"{bare:N0} B",
                (value, bare) => $"{value - bare:+ #,0;- #,0;0} B"),
            "",
            cells.Quality,
            .. express is null ? ["", "Express was not measured: node and npm were not there."] : Array.Empty<string>(),
        ];

        IEnumerable<string> Table(
            string what, Func<Load, double?> figure, Func<double, string> absolute, Func<double, double, string> relative) =>
        [
            "",
            $"| {what} | {string.Join(" | ", Paths.Select(path => path[1..]))} |",
            "| --- | --- | --- | --- |",
            .. Enum.GetValues<ServerKind>().Select(kind =>
                $"| {kind.Name()} | {string.Join(" | ", Paths.Select(path => Cell(kind, path, figure, absolute, relative)))} |"),
        ];

        string Cell(
            ServerKind kind, string path,
            Func<Load, double?> figure, Func<double, string> absolute, Func<double, double, string> relative)
        {
            if (!kinds.Contains(kind) || cells.Median((kind, path), figure) is not { } own)
            {
                return "–";
            }

            return kind == ServerKind.Bare ? absolute(own) : relative(own, cells.Median((ServerKind.Bare, path), figure)!.Value);
        }
    }

    private static string Ratio(double value, double bare) => Machine.Times(value / bare);
}
