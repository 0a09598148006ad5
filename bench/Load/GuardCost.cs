namespace SessionActors.LoadBench;

/// <summary>What it costs that other clusters may use the same sessions: one server without and with a guard on lock masters.</summary>
internal static class GuardCost
{
    private const int Masters = 3;
    private const int Sessions = 64;

    private static readonly string[] Paths = ["/read", "/write"];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("session-actors-bench-");
        var masters = new List<RedisProcess>();
        try
        {
            for (var i = 0; i < Masters; i++)
            {
                masters.Add(await RedisProcess.StartAsync());
            }

            using var off = await ServerProcess.StartAsync(ServerKind.ActorRedis, redis);
            using var on = await ServerProcess.StartAsync(ServerKind.ActorRedis, redis, [
                "--SessionActors:ClusterId=guarded",
                .. masters.Select((master, i) => $"--SessionActors:CrossCluster:Redlock:{i}={master.Address}"),
            ]);
            List<string> report =
            [
                "",
                $"| `CrossCluster`, {Masters} lock masters | {string.Join(" | ", Paths.Select(path => path[1..]))} |",
                "| --- | --- | --- |",
            ];
            var (cookie, toStore, toMasters) = (await on.NewSessionAsync(), new List<string>(), new List<string>());
            foreach (var path in Paths)
            {
                var usage = await Counts.UsageAsync([redis, .. masters], _ => on.GetAsync(path, cookie));
                toStore.Add(PerRequest(usage[0].Scripts));
                toMasters.Add(PerRequest(usage[1..].Max(master => master.Scripts + master.Sets)));
            }

            report.Add($"| commands to Redis | {string.Join(" | ", toStore)} |");
            report.Add($"| commands to each lock master | {string.Join(" | ", toMasters)} |");
            report.Add($"| requests per second, on / off | {string.Join(" | ", await RatiosAsync([off, on], folder, seconds, rounds))} |");
            return report;
        }
        finally
        {
            foreach (var master in masters)
            {
                await master.DisposeAsync();
            }

            folder.Delete(recursive: true);
        }
    }

    /// <summary>Both servers in turn, round after round; the first one warms up.</summary>
    private static async Task<List<string>> RatiosAsync(ServerProcess[] servers, DirectoryInfo folder, int seconds, int rounds)
    {
        for (var i = 0; i < servers.Length; i++)
        {
            var server = servers[i];
            var cookies = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => server.NewSessionAsync()));
            await File.WriteAllLinesAsync(FileOf(i), cookies);
        }

        var ratios = Paths.ToDictionary(path => path, _ => new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"guard, round {round} of {rounds}");
            foreach (var (path, measured) in ratios)
            {
                var off = await Wrk.RunAsync(servers[0].Address + path, FileOf(0), Sessions, seconds);
                var on = await Wrk.RunAsync(servers[1].Address + path, FileOf(1), Sessions, seconds);
                measured.AddRange(round == 0 ? [] : [on.PerSecond / off.PerSecond]);
            }
        }

        return [.. Paths.Select(path => $"× {Machine.Median(ratios[path]):0.00}")];

        string FileOf(int server) => Path.Combine(folder.FullName, $"{server}");
    }

    private static string PerRequest(long commands) =>
        $"{Math.Max(0, Math.Round((double)commands / Counts.Requests, 1)):0.#}";
}
