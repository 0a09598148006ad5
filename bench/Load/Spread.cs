using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>
/// Three servers in one cluster over a Redis Cluster of three masters, against one server over one Redis: whether sessions and commands
/// spread over them, and what a request costs whose session is at another server.
/// </summary>
internal static class Spread
{
    private const int Servers = 3;
    private const int SessionsEach = 1_000;
    private const int CreatedAtOnce = 16;

    // As many generators as servers in every row, the single server's too, with so many connections each.
    private const int Connections = 21;

    // Three servers share the requests that the JIT compiler needs.
    private const int LongestWarmUp = 6;

    private static readonly string[] Paths = ["/read", "/write"];

    /// <summary>Which server a request goes to.</summary>
    private enum Route
    {
        /// <summary>To the only one there is.</summary>
        Alone,

        /// <summary>To the one that its session began at.</summary>
        Sticky,

        /// <summary>To any, so that two of three find their session at another one.</summary>
        Anywhere,
    }

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("session-actors-bench-");
        var masters = await RedisProcess.StartClusterAsync(Servers);
        var servers = new List<ServerProcess>();
        try
        {
            using var alone = await ServerProcess.StartAsync(ServerKind.ActorRedis, redis);
            while (servers.Count < Servers)
            {
                // One prefix is one cluster.
                servers.Add(await ServerProcess.StartAsync(
                    ServerKind.ActorRedis, redis, "--SessionActors:KeyPrefix=spread:",
                    $"--SessionActors:Redis={string.Join(',', masters.Select(master => master.Address))}"));
            }

            await KeepAsync(Route.Alone, await CreateAsync(alone, Servers * SessionsEach));
            var begun = await Task.WhenAll(servers.Select(server => CreateAsync(server, SessionsEach)));
            await KeepAsync(Route.Anywhere, [.. Enumerable.Range(0, SessionsEach).SelectMany(i => begun.Select(cookies => cookies[i]))]);
            for (var i = 0; i < Servers; i++)
            {
                await File.WriteAllLinesAsync(FileOf(Route.Sticky, i), begun[i]);
            }

            var before = await ScriptsAsync(masters);
            var cells = new Rounds<(Route Route, string Path)>(
                "spread", Paths.SelectMany(path => Enum.GetValues<Route>().Select(route => (route, path))));
            await cells.RunAsync(seconds, rounds, LongestWarmUp, (cell, time) => cell.Route == Route.Alone
                ? LoadAsync([alone], [redis], cell.Route, cell.Path, time)
                : LoadAsync([.. servers], masters, cell.Route, cell.Path, time));
            var commands = (await ScriptsAsync(masters)).Zip(before, (later, earlier) => later - earlier);
            return
            [
                "",
                $"| of {Servers} | 1st | 2nd | 3rd | most / least |",
                "| --- | --- | --- | --- | --- |",
                Row("sessions in the memory of each server", await Task.WhenAll(servers.Select(SessionsAsync))),
                Row("keys at each master", await Task.WhenAll(masters.Select(master => master.KeysAsync()))),
                Row("scripts run by each master", [.. commands]),
                .. CostTable(cells),
                "",
                cells.Quality,
            ];
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
            foreach (var master in masters)
            {
                await master.DisposeAsync();
            }

            folder.Delete(recursive: true);
        }

        Task<Load> LoadAsync(ServerProcess[] at, RedisProcess[] stores, Route route, string path, int time) => Load.MeasureAsync(
            at, stores,
            () => Task.WhenAll(Enumerable.Range(0, Servers).Select(
                i => Wrk.RunAsync(at[i % at.Length].Address + path, FileOf(route, i), Connections, time))));

        // A generator each begins at another place, so that no two of them ask for one session at the same time.
        async Task KeepAsync(Route route, string[] cookies)
        {
            for (var i = 0; i < Servers; i++)
            {
                var first = cookies.Length / Servers * i;
                await File.WriteAllLinesAsync(FileOf(route, i), [.. cookies[first..], .. cookies[..first]]);
            }
        }

        string FileOf(Route route, int generator) => Path.Combine(folder.FullName, $"{route}-{generator}");
    }

    private static async Task<string[]> CreateAsync(ServerProcess server, int sessions)
    {
        var cookies = new string[sessions];
        await Parallel.ForAsync(
            0, sessions, new ParallelOptions { MaxDegreeOfParallelism = CreatedAtOnce },
            async (i, _) => cookies[i] = await server.NewSessionAsync());
        return cookies;
    }

    private static async Task<long> SessionsAsync(ServerProcess server) =>
        long.Parse(await server.GetAsync("/sessions"), CultureInfo.InvariantCulture);

    private static async Task<long[]> ScriptsAsync(RedisProcess[] masters) =>
        [.. (await Task.WhenAll(masters.Select(master => master.UsageAsync()))).Select(usage => usage.Scripts)];

    private static string Row(string what, long[] figures) =>
        $"| {what} | {string.Join(" | ", figures.Select(figure => $"{figure:N0}"))} "
            + $"| {Machine.Times((double)figures.Max() / figures.Min())} |";

    private static IEnumerable<string> CostTable(Rounds<(Route Route, string Path)> cells)
    {
        return
        [
            "",
            $"| {Servers * SessionsEach:N0} sessions | read, per second | write, per second "
                + "| read, processor time | write, processor time |",
            "| --- | --- | --- | --- | --- |",
            $"| 1 server, 1 Redis | {Alone(Paths[0], load => load.PerSecond):N0} | {Alone(Paths[1], load => load.PerSecond):N0} "
                + $"| {Alone(Paths[0], load => load.Microseconds):0.0} µs | {Alone(Paths[1], load => load.Microseconds):0.0} µs |",
            $"| {Servers} servers, {Servers} masters, each session where it began | {Ratios(Route.Sticky)} |",
            $"| the same, each request at any server | {Ratios(Route.Anywhere)} |",
            $"| of these, one whose session is at another server | – | – | {string.Join(" | ", Paths.Select(Elsewhere))} |",
        ];

        double Alone(string path, Func<Load, double?> figure) => cells.Median((Route.Alone, path), figure)!.Value;

        double Ratio(Route route, string path, Func<Load, double?> figure) => cells.Ratio((route, path), (Route.Alone, path), figure);

        string Ratios(Route route) => string.Join(" | ", ((Func<Load, double?>[])[load => load.PerSecond, load => load.Microseconds])
            .SelectMany(figure => Paths.Select(path => Machine.Times(Ratio(route, path, figure)))));

        // All but one of the servers are another one than the session's.
        string Elsewhere(string path)
        {
            var near = Ratio(Route.Sticky, path, load => load.Microseconds);
            var mixed = Ratio(Route.Anywhere, path, load => load.Microseconds);
            return Machine.Times(near + ((mixed - near) * Servers / (Servers - 1)));
        }
    }
}
