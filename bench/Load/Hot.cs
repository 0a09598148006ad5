using System.Diagnostics;
using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>One session that everybody wants: many writers of the same property, and a burst of requests that each set another.</summary>
internal static class Hot
{
    private const int Writers = 32;
    private const int Burst = 200;
    private const int BurstsPerRound = 10;
    private const string Cookies = "hot";
    private const int LongestWarmUp = 4;

    private static readonly ServerKind[] Kinds =
        [ServerKind.StockMemory, ServerKind.ActorEmbedded, ServerKind.StockRedis, ServerKind.ActorRedis];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        using var peers = await Peers.StartAsync(redis, [ServerKind.Bare, .. Kinds]);
        foreach (var kind in (ServerKind[])[ServerKind.Bare, .. Kinds])
        {
            await peers.FillAsync(kind, Cookies, sessions: 1);
        }

        var writes = new Rounds<ServerKind>("hot", [ServerKind.Bare, .. Kinds]);
        await writes.RunAsync(
            seconds, rounds, LongestWarmUp, (kind, time) => peers.LoadAsync(kind, "/write", Cookies, Writers, time));
        return [.. WritesTable(writes), .. BurstsTable(await BurstsAsync(peers, redis, rounds)), "", writes.Quality];
    }

    /// <summary>Bursts at all servers in turn; those of the first round warm up and open the connections.</summary>
    private static async Task<Dictionary<ServerKind, List<BurstResult>>> BurstsAsync(Peers peers, RedisProcess redis, int rounds)
    {
        var results = Kinds.ToDictionary(kind => kind, _ => new List<BurstResult>());
        for (var round = 0; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"hot, bursts, round {round} of {rounds}");
            for (var i = 0; i < BurstsPerRound; i++)
            {
                foreach (var (kind, measured) in results)
                {
                    var result = await BurstAsync(peers[kind], redis);
                    measured.AddRange(round == 0 ? [] : [result]);
                }
            }
        }

        return results;
    }

    private static async Task<BurstResult> BurstAsync(ServerProcess server, RedisProcess redis)
    {
        var cookie = await server.NewSessionAsync();
        var processor = server.ProcessorTime + redis.ProcessorTime;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Burst).Select(i => server.GetAsync($"/add/p{i}", cookie)));
        var wall = Stopwatch.GetElapsedTime(started);
        processor = server.ProcessorTime + redis.ProcessorTime - processor;
        // One property was there before.
        var survivors = int.Parse(await server.GetAsync("/count", cookie), CultureInfo.InvariantCulture) - 1;
        return new BurstResult(wall, processor, survivors);
    }

    private static IEnumerable<string> WritesTable(Rounds<ServerKind> writes)
    {
        return
        [
            "",
            $"| {Writers} connections write one property of one session | writes per second | processor time per write | p50 | p99 |",
            "| --- | --- | --- | --- | --- |",
            $"| {ServerKind.Bare.Name()} | {Bare(load => load.PerSecond):N0} | {Bare(load => load.Microseconds):0.0} µs "
                + $"| {Bare(Median):0.00} ms | {Bare(Percentile99):0.00} ms |",
            .. Kinds.Select(kind => $"| {kind.Name()} | {Ratio(kind, load => load.PerSecond)} | {Ratio(kind, load => load.Microseconds)} "
                + $"| {Ratio(kind, Median)} | {Ratio(kind, Percentile99)} |"),
        ];

        double Bare(Func<Load, double?> figure) => writes.Median(ServerKind.Bare, figure)!.Value;

        string Ratio(ServerKind kind, Func<Load, double?> figure) => Machine.Times(writes.Ratio(kind, ServerKind.Bare, figure));

        static double? Median(Load load) => load.Median.TotalMilliseconds;

        static double? Percentile99(Load load) => load.Percentile99.TotalMilliseconds;
    }

    private static IEnumerable<string> BurstsTable(Dictionary<ServerKind, List<BurstResult>> results)
    {
        var peer = results[ServerKind.StockMemory];
        return
        [
            "",
            $"| {Burst} parallel requests that each set another property of one session "
                + "| until the last answer | processor time | survivors |",
            "| --- | --- | --- | --- |",
            .. results.Select(result => $"| {result.Key.Name()} | {Figures(result.Key, result.Value)} "
                + $"| {Machine.Median(result.Value.Select(burst => (double)burst.Survivors)):0} |"),
        ];

        string Figures(ServerKind kind, List<BurstResult> own) => kind == ServerKind.StockMemory
            ? $"{Wall(own):0.0} ms | {Processor(own):0.0} ms"
            : $"{Machine.Times(Wall(own) / Wall(peer))} | {Machine.Times(Processor(own) / Processor(peer))}";

        static double Wall(List<BurstResult> bursts) => Machine.Median(bursts.Select(burst => burst.Wall.TotalMilliseconds));

        // The mean, not the median: a burst is hardly longer than a tick of the clock that counts processor time.
        static double Processor(List<BurstResult> bursts) => bursts.Average(burst => burst.Processor.TotalMilliseconds);
    }

    private readonly record struct BurstResult(TimeSpan Wall, TimeSpan Processor, int Survivors);
}
