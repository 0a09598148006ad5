namespace SessionActors.LoadBench;

/// <summary>
/// More and more sessions, of which some are used far more often than others: what it costs to create them, what memory they take, and
/// whether a request costs more where there are more of them. A server of its own for each number.
/// </summary>
internal static class Many
{
    private const int Connections = 64;
    private const int Portions = 10;
    private const string Cookies = "many";

    // The creation of the sessions has warmed up the most.
    private const int LongestWarmUp = 4;

    private static readonly int[] Numbers = [1_000, 10_000, 100_000];
    private static readonly ServerKind[] Kinds = [ServerKind.StockMemory, ServerKind.StockRedis, ServerKind.ActorRedis];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        var peers = new Dictionary<int, Peers>();
        var created = new Dictionary<(ServerKind, int), Creation>();
        try
        {
            foreach (var number in Numbers)
            {
                peers[number] = await Peers.StartAsync(redis, [ServerKind.Bare, .. Kinds]);
                foreach (var (kind, creation) in await CreateAsync(peers[number], redis, number))
                {
                    created[(kind, number)] = creation;
                }
            }

            var cells = new Rounds<(ServerKind Kind, int Number)>(
                "many", Numbers.SelectMany(number => ((ServerKind[])[ServerKind.Bare, .. Kinds]).Select(kind => (kind, number))));
            await cells.RunAsync(
                seconds, rounds, LongestWarmUp,
                (cell, time) => peers[cell.Number].LoadAsync(cell.Kind, "/", Cookies, Connections, time, Access.Zipf));
            return [.. CreationTable(created), .. MemoryTable(created), .. AccessTable(cells), "", cells.Quality];
        }
        finally
        {
            foreach (var some in peers.Values)
            {
                some.Dispose();
            }
        }
    }

    private static async Task<Dictionary<ServerKind, Creation>> CreateAsync(Peers peers, RedisProcess redis, int number)
    {
        // A bare server has no sessions: requests with any cookie cost it the same.
        await peers.FillAsync(ServerKind.Bare, Cookies, sessions: 1);
        var creations = Kinds.ToDictionary(kind => kind, kind => new Creation(peers[kind], redis));
        foreach (var creation in creations.Values)
        {
            await creation.BeginAsync();
        }

        await Console.Error.WriteLineAsync($"many, creating {number:N0} sessions at each server");
        for (var i = 0; i < Portions; i++)
        {
            foreach (var creation in creations.Values)
            {
                await creation.ContinueAsync(number / Portions);
            }
        }

        foreach (var (kind, creation) in creations)
        {
            await creation.EndAsync();
            await peers.KeepAsync(kind, Cookies, creation.Cookies);
        }

        return creations;
    }

    private static IEnumerable<string> CreationTable(Dictionary<(ServerKind Kind, int Number), Creation> created)
    {
        var peer = created[(ServerKind.StockRedis, Numbers[^1])];
        return
        [
            "",
            $"| {Numbers[^1]:N0} sessions created by a first write, {Creation.Parallel} at a time | per second | processor time each |",
            "| --- | --- | --- |",
            .. Kinds.Select(kind => $"| {kind.Name()} | {Figures(created[(kind, Numbers[^1])])} |"),
        ];

        string Figures(Creation own) => own == peer
            ? $"{own.PerSecond:N0} | {own.Microseconds:0} µs"
            : $"{Machine.Times(own.PerSecond / peer.PerSecond)} | {Machine.Times(own.Microseconds / peer.Microseconds)}";
    }

    private static IEnumerable<string> MemoryTable(Dictionary<(ServerKind Kind, int Number), Creation> created) =>
    [
        "",
        $"| memory of the application for each of so many sessions, resident (managed) "
            + $"| {string.Join(" | ", Numbers.Select(number => $"{number:N0}"))} |",
        "| --- | --- | --- | --- |",
        .. Kinds.Select(kind => $"| {kind.Name()} | {string.Join(" | ", Numbers.Select(number => created[(kind, number)])
            .Select(creation => $"{creation.ResidentBytes:N0} B ({creation.HeapBytes:N0} B)"))} |"),
    ];

    private static IEnumerable<string> AccessTable(Rounds<(ServerKind, int)> cells)
    {
        return
        [
            "",
            "| Zipf's law, 80 % reads | sessions | requests per second / bare | / same with 1,000 "
                + "| processor time per request / bare | / same with 1,000 |",
            "| --- | --- | --- | --- | --- | --- |",
            $"| {ServerKind.Bare.Name()} | – | {cells.Median((ServerKind.Bare, Numbers[0]), load => load.PerSecond):N0} | – "
                + $"| {cells.Median((ServerKind.Bare, Numbers[0]), load => load.Microseconds):0.0} µs | – |",
            .. Kinds.SelectMany(kind => Numbers.Select(number => $"| {kind.Name()} | {number:N0} "
                + $"| {Figures(kind, number, load => load.PerSecond)} | {Figures(kind, number, load => load.Microseconds)} |")),
        ];

        string Figures(ServerKind kind, int number, Func<Load, double?> figure) =>
            $"{Machine.Times(cells.Ratio((kind, number), (ServerKind.Bare, number), figure))} "
            + $"| {Machine.Times(cells.Ratio((kind, number), (kind, Numbers[0]), figure))}";
    }
}
