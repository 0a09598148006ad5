using System.Diagnostics;
using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>What can be counted rather than timed: commands and bytes to Redis, and changes that survive each other.</summary>
internal static class Counts
{
    public const int Requests = 500;
    private const int Parallel = 200;
    private static readonly int[] Kilobytes = [1, 10, 100, 1000];

    // Long enough for what goes on without requests (membership, heartbeats) to be the same in two windows.
    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis)
    {
        var actor = await ColumnAsync(ServerKind.ActorRedis, redis);
        var stock = await ColumnAsync(ServerKind.StockRedis, redis);
        return
        [
            "",
            "| counted on Redis | SessionActors | ASP.NET Core |",
            "| --- | --- | --- |",
            .. actor.Zip(stock, (ours, theirs) => $"| {ours.What} | {ours.Value} | {theirs.Value} |"),
        ];
    }

    private static async Task<List<(string What, string Value)>> ColumnAsync(ServerKind kind, RedisProcess redis)
    {
        using var server = await ServerProcess.StartAsync(kind, redis);
        var cookie = await server.NewSessionAsync();
        var doomed = new List<string>();
        for (var i = 0; i < Requests; i++)
        {
            doomed.Add(await server.NewSessionAsync());
        }

        List<(string, string)> column =
        [
            ("commands: endpoint without session, cookie sent", await CommandsAsync(redis, _ => server.GetAsync("/none", cookie))),
            ("commands: read, no cookie", await CommandsAsync(redis, _ => server.GetAsync("/read"))),
            ("commands: read", await CommandsAsync(redis, _ => server.GetAsync("/read", cookie))),
            ("commands: write of one property", await CommandsAsync(redis, _ => server.GetAsync("/write", cookie))),
            ("commands: destroy (ASP.NET Core: clear)", await CommandsAsync(redis, i => server.GetAsync("/destroy", doomed[i]))),
        ];
        foreach (var kilobytes in Kilobytes)
        {
            var big = await server.NewSessionAsync();
            await server.GetAsync($"/fill/{kilobytes}", big);
            var usage = (await UsageAsync([redis], _ => server.GetAsync("/write", big)))[0];
            column.Add(($"bytes to Redis per write, session of {kilobytes:N0} kB", $"{usage.InputBytes / Requests:N0}"));
        }

        var before = await redis.UsageAsync();
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(i => server.GetAsync($"/add/p{i}", cookie)));
        var asked = await redis.UsageAsync() - before;
        // One property was there before.
        var survivors = int.Parse(await server.GetAsync("/count", cookie), CultureInfo.InvariantCulture) - 1;
        column.Add(($"of {Parallel} parallel requests that each set another property, survivors", $"{survivors}"));
        column.Add(("script calls for them", asked.Scripts < 2 ? "–" : $"{asked.Scripts}"));
        return column;
    }

    // A script is one command, whatever it calls; without scripts every call came over the wire.
    private static async Task<string> CommandsAsync(RedisProcess redis, Func<int, Task> request)
    {
        var usage = (await UsageAsync([redis], request))[0];
        var commands = usage.Scripts > Requests / 2 ? usage.Scripts : usage.Calls;
        return $"{Math.Max(0, Math.Round((double)commands / Requests, 1)):0.#}";
    }

    /// <summary>What each server is asked for by a number of requests, less what it is asked in the same time without any.</summary>
    public static async Task<RedisUsage[]> UsageAsync(RedisProcess[] servers, Func<int, Task> request)
    {
        var before = await Task.WhenAll(servers.Select(server => server.UsageAsync()));
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Requests; i++)
        {
            await request(i);
        }

        if (ShortestWindow - Stopwatch.GetElapsedTime(started) is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, TimeProvider.System);
        }

        var window = Stopwatch.GetElapsedTime(started);
        var after = await Task.WhenAll(servers.Select(server => server.UsageAsync()));
        await Task.Delay(window, TimeProvider.System);
        var later = await Task.WhenAll(servers.Select(server => server.UsageAsync()));
        return [.. servers.Select((_, i) => after[i] - before[i] - (later[i] - after[i]))];
    }
}
