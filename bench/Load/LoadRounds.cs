namespace SessionActors.LoadBench;

/// <summary>
/// What one run of load has shown: requests per second; per request the processor time (application and Redis) and the allocated bytes; the
/// time that the JIT compiler was busy, as a share of all time.
/// </summary>
internal readonly record struct Load(double PerSecond, double Microseconds, double AllocatedBytes, double Compiling);

/// <summary>The servers under load in turn, round after round, so that whatever else the machine does hits all of them.</summary>
internal static class LoadRounds
{
    private const int Sessions = 64;

    // The JIT compiler needs tens of thousands of requests before it has little left to do.
    private const int LongestWarmUp = 8;
    private const double Warm = 0.01;

    private static readonly string[] Paths = ["/none", "/read", "/write"];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        var servers = new Dictionary<ServerKind, ServerProcess>();
        var folder = Directory.CreateTempSubdirectory("session-actors-bench-");
        var loads = Paths.SelectMany(path => Enum.GetValues<ServerKind>().Select(kind => (kind, path)))
            .ToDictionary(server => server, _ => new List<Load>());
        try
        {
            foreach (var kind in Enum.GetValues<ServerKind>())
            {
                var server = servers[kind] = await ServerProcess.StartAsync(kind, redis);
                var cookies = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => server.NewSessionAsync()));
                await File.WriteAllLinesAsync(Path.Combine(folder.FullName, $"{kind}"), cookies);
            }

            foreach (var (kind, path) in loads.Keys)
            {
                await WarmUpAsync(() => RunAsync(kind, path));
            }

            for (var round = 1; round <= rounds; round++)
            {
                await Console.Error.WriteLineAsync($"round {round} of {rounds}");
                foreach (var ((kind, path), measured) in loads)
                {
                    measured.Add(await RunAsync(kind, path));
                }
            }
        }
        finally
        {
            foreach (var server in servers.Values)
            {
                server.Dispose();
            }

            folder.Delete(recursive: true);
        }

        Task<Load> RunAsync(ServerKind kind, string path) =>
            LoadAsync(servers[kind], redis, path, Path.Combine(folder.FullName, $"{kind}"), seconds);

        return
        [
            .. Table("requests per second", loads, load => load.PerSecond, bare => $"{bare:N0}"),
            .. Table("processor time per request, application and Redis", loads, load => load.Microseconds, bare => $"{bare:0.0} µs"),
            .. Table(
                "allocated per request", loads, load => load.AllocatedBytes, bare => $"{bare:N0} B",
                (value, bare) => $"{value - bare:+ #,0;- #,0;0} B"),
            "",
            $"Largest spread of one figure between rounds: × {loads.Values.Max(Spread):0.0}. The JIT compiler was busy for at most "
                + $"{loads.Values.SelectMany(rounds => rounds).Max(load => load.Compiling):P0} of a run.",
        ];
    }

    private static async Task WarmUpAsync(Func<Task<Load>> run)
    {
        for (var i = 0; i < LongestWarmUp && (await run()).Compiling > Warm; i++)
        {
        }
    }

    private static async Task<Load> LoadAsync(ServerProcess server, RedisProcess redis, string path, string cookies, int seconds)
    {
        var effort = await server.EffortAsync();
        var processor = server.ProcessorTime + redis.ProcessorTime;
        var result = await Wrk.RunAsync(server.Address + path, cookies, Sessions, seconds);
        processor = server.ProcessorTime + redis.ProcessorTime - processor;
        var later = await server.EffortAsync();
        return new Load(
            result.PerSecond,
            processor.TotalMicroseconds / result.Requests,
            (later.AllocatedBytes - effort.AllocatedBytes) / result.Requests,
            (later.Compiling - effort.Compiling).TotalMicroseconds / result.Microseconds);
    }

    private static IEnumerable<string> Table(
        string what, Dictionary<(ServerKind Kind, string Path), List<Load>> loads,
        Func<Load, double> figure, Func<double, string> absolute, Func<double, double, string>? relative = null)
    {
        relative ??= (value, bare) => $"× {value / bare:0.00}";
        return
        [
            "",
            $"| {what} | bare | ASP.NET Core, memory | SessionActors, embedded | ASP.NET Core, Redis | SessionActors, Redis |",
            "| --- | --- | --- | --- | --- | --- |",
            .. Paths.Select(path => $"| {path[1..]} | {absolute(MedianOf(ServerKind.Bare, path))} | {Relatives(path)} |"),
        ];

        string Relatives(string path) => string.Join(" | ", Enum.GetValues<ServerKind>().Where(kind => kind != ServerKind.Bare)
            .Select(kind => relative(MedianOf(kind, path), MedianOf(ServerKind.Bare, path))));

        double MedianOf(ServerKind kind, string path) => Machine.Median(loads[(kind, path)].Select(figure));
    }

    private static double Spread(List<Load> rounds) => Math.Max(
        rounds.Max(load => load.PerSecond) / rounds.Min(load => load.PerSecond),
        rounds.Max(load => load.Microseconds) / rounds.Min(load => load.Microseconds));
}
