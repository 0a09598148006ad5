using System.Diagnostics;
using System.Globalization;

namespace SessionActors.LoadBench;

/// <summary>
/// A million live sessions in Redis, of which a silo has a tenth in its memory, against a thousand: what a request costs, what a session
/// takes that nobody uses, and how fast sessions leave memory and come back.
/// </summary>
internal static class Million
{
    private const int Live = 1_000_000;
    private const int Active = 100_000;
    private const int Few = 1_000;
    private const int Connections = 64;
    private const string Cookies = "million";

    // The creation of the sessions has warmed up the most.
    private const int LongestWarmUp = 4;

    private static readonly TimeSpan CollectTimeout = TimeSpan.FromMinutes(2), Pause = TimeSpan.FromMilliseconds(50);
    private static readonly ServerKind[] Kinds = [ServerKind.Bare, ServerKind.ActorRedis];

    public static async Task<IEnumerable<string>> MeasureAsync(RedisProcess redis, int seconds, int rounds)
    {
        // Each of its own, so that the thousand have a Redis that holds no more.
        await using var larger = await RedisProcess.StartAsync();
        using var few = await Peers.StartAsync(redis, Kinds);
        using var many = await Peers.StartAsync(larger, Kinds);
        await CreateAsync(few, redis, Few);
        await CreateAsync(many, larger, Active);
        var idle = await IdleAsync(many[ServerKind.ActorRedis], larger);

        var cells = new Rounds<(ServerKind Kind, bool IsMany)>(
            "million", Kinds.SelectMany(kind => ((bool[])[false, true]).Select(isMany => (kind, isMany))));
        await cells.RunAsync(
            seconds, rounds, LongestWarmUp,
            (cell, time) => (cell.IsMany ? many : few).LoadAsync(cell.Kind, "/", Cookies, Connections, time, Access.Zipf));
        return
        [
            "",
            "| Zipf's law, 80 % reads | requests per second / bare | processor time per request / bare |",
            "| --- | --- | --- |",
            Row($"{Few:N0} sessions", isMany: false),
            Row($"{Live:N0} sessions, {Active:N0} of them in memory", isMany: true),
            "| many / few "
                + $"| {Machine.Times(Ratio(isMany: true, load => load.PerSecond) / Ratio(isMany: false, load => load.PerSecond))} "
                + $"| {Machine.Times(Ratio(isMany: true, load => load.Microseconds) / Ratio(isMany: false, load => load.Microseconds))} |",
            "",
            $"| a session that nobody uses, of {Live - Active:N0} | |",
            "| --- | --- |",
            $"| memory of the silo, resident | {idle.Silo:N0} B |",
            $"| memory of Redis (`used_memory`; one property of 12 bytes) | {idle.Redis:N0} B |",
            .. await ComingAndGoingAsync(few, redis, seconds, rounds),
            "",
            cells.Quality,
        ];

        string Row(string what, bool isMany) =>
            $"| {what} | {Machine.Times(Ratio(isMany, load => load.PerSecond))} "
            + $"| {Machine.Times(Ratio(isMany, load => load.Microseconds))} |";

        double Ratio(bool isMany, Func<Load, double?> figure) =>
            cells.Ratio((ServerKind.ActorRedis, isMany), (ServerKind.Bare, isMany), figure);
    }

    private static async Task CreateAsync(Peers peers, RedisProcess redis, int number)
    {
        await peers.FillAsync(ServerKind.Bare, Cookies, sessions: 1);
        await Console.Error.WriteLineAsync($"million, creating {number:N0} sessions");
        var creation = new Creation(peers[ServerKind.ActorRedis], redis);
        await creation.BeginAsync();
        await creation.ContinueAsync(number);
        await peers.KeepAsync(ServerKind.ActorRedis, Cookies, creation.Cookies);
    }

    /// <summary>Adds the sessions that nobody uses, and says what each takes.</summary>
    private static async Task<(double Silo, double Redis)> IdleAsync(ServerProcess server, RedisProcess redis)
    {
        await Console.Error.WriteLineAsync($"million, adding {Live - Active:N0}");
        var (_, resident) = await server.MemoryAsync();
        var used = await redis.UsedMemoryAsync();
        await redis.CopySessionAsync(Live - Active);
        var more = await redis.UsedMemoryAsync() - used;
        return (((await server.MemoryAsync()).Resident - resident) / (double)(Live - Active), more / (double)(Live - Active));
    }

    /// <summary>With new sessions, which nothing but their age keeps in memory.</summary>
    private static async Task<IEnumerable<string>> ComingAndGoingAsync(Peers peers, RedisProcess redis, int seconds, int rounds)
    {
        var server = peers[ServerKind.ActorRedis];
        var used = await ActiveAsync(server);
        await CreateAsync(peers, redis, Active);
        var (coming, going) = (new List<Load>(), 0.0);
        for (var round = 0; round < rounds; round++)
        {
            await Console.Error.WriteLineAsync($"million, leaving memory and coming back, round {round + 1} of {rounds}");
            var rate = await CollectAsync(server, used);
            going = round == 0 ? rate : going;
            // Fewer requests than there are sessions, so that each is the first of its session.
            coming.Add(await peers.LoadAsync(ServerKind.ActorRedis, "/read", Cookies, Connections, seconds));
        }

        return
        [
            "",
            "| sessions that leave memory, and are opened by a first read | per second | processor time each |",
            "| --- | --- | --- |",
            $"| leave, {Active:N0} at once | {going:N0} | – |",
            $"| are opened | {Machine.Median(coming.Select(load => load.PerSecond)):N0} "
                + $"| {Machine.Median(coming.Select(load => load.Microseconds)):0} µs |",
        ];
    }

    /// <summary>Has all sessions leave memory but those that were used of late. Returns how many did in a second.</summary>
    private static async Task<double> CollectAsync(ServerProcess server, int used)
    {
        var before = await ActiveAsync(server);
        var started = Stopwatch.GetTimestamp();
        await server.GetAsync("/collect");
        while (true)
        {
            var left = await ActiveAsync(server);
            var taken = Stopwatch.GetElapsedTime(started);
            if (left <= used)
            {
                await UntilOrleansHasFinishedAsync(server, used);
                return (before - left) / taken.TotalSeconds;
            }

            if (taken > CollectTimeout)
            {
                throw new TimeoutException($"{left:N0} of {before:N0} sessions did not leave memory within {taken.TotalSeconds:N0} s.");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private static async Task UntilOrleansHasFinishedAsync(ServerProcess server, int used)
    {
        for (var left = int.MaxValue; left > used;)
        {
            try
            {
                left = int.Parse(await server.GetAsync("/sessions"), CultureInfo.InvariantCulture);
            }
            catch (HttpRequestException)
            {
                // It is too busy to count in time.
            }
        }
    }

    private static async Task<int> ActiveAsync(ServerProcess server) =>
        int.Parse(await server.GetAsync("/active"), CultureInfo.InvariantCulture);
}
