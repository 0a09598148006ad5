namespace SessionActors.LoadBench;

/// <summary>
/// Many writers of one session that each want it to themselves: what taking turns costs, beside the same write without turns and beside
/// locks that are asked for again and again.
/// </summary>
internal static class Turns
{
    private const int Writers = 32;

    private static readonly (string What, ServerKind Kind, string Path, string Unlocked)[] Rows =
    [
        ("SessionActors, shared", ServerKind.ActorRedis, "/write", "/write"),
        ("SessionActors, exclusive", ServerKind.ActorRedis, "/exclusive", "/write"),
        ("ASP.NET Core, no lock (loses updates)", ServerKind.StockRedis, "/write", "/write"),
        ("ASP.NET Core, lock asked for every 20 ms", ServerKind.StockRedis, "/polled/20", "/write"),
        ("ASP.NET Core, lock asked for every 100 ms", ServerKind.StockRedis, "/polled/100", "/write"),
    ];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("session-actors-bench-");
        using var actor = await ServerProcess.StartAsync(ServerKind.ActorRedis, redis);
        using var stock = await ServerProcess.StartAsync(ServerKind.StockRedis, redis);
        var results = Rows.ToDictionary(row => (row.Kind, row.Path), _ => new List<WrkResult>());
        try
        {
            foreach (var (kind, server) in Servers())
            {
                await File.WriteAllTextAsync(FileOf(kind), await server.NewSessionAsync() + "\n");
            }

            // The first round warms up.
            for (var round = 0; round <= rounds; round++)
            {
                await Console.Error.WriteLineAsync($"turns, round {round} of {rounds}");
                foreach (var ((kind, path), measured) in results)
                {
                    var server = kind == ServerKind.ActorRedis ? actor : stock;
                    var result = await Wrk.RunAsync(server.Address + path, FileOf(kind), Writers, seconds);
                    measured.AddRange(round == 0 ? [] : [result]);
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return
        [
            "",
            $"| {Writers} writers, one session | writes per second | p50 | p99 | p50 / unlocked | p99 / unlocked |",
            "| --- | --- | --- | --- | --- | --- |",
            .. Rows.Select(row =>
            {
                var (own, unlocked) = (results[(row.Kind, row.Path)], results[(row.Kind, row.Unlocked)]);
                var (p50, p99) = (Median(own, r => r.Median), Median(own, r => r.Percentile99));
                return $"| {row.What} | {Machine.Median(own.Select(r => r.PerSecond)):N0} | {p50:0.0} ms | {p99:0.0} ms "
                    + $"| × {p50 / Median(unlocked, r => r.Median):0.0} | × {p99 / Median(unlocked, r => r.Percentile99):0.0} |";
            }),
        ];

        (ServerKind Kind, ServerProcess Server)[] Servers() => [(ServerKind.ActorRedis, actor), (ServerKind.StockRedis, stock)];

        string FileOf(ServerKind kind) => Path.Combine(folder.FullName, $"{kind}");
    }

    private static double Median(List<WrkResult> rounds, Func<WrkResult, TimeSpan> figure) =>
        Machine.Median(rounds.Select(result => figure(result).TotalMilliseconds));
}
