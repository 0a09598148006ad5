namespace SessionActors.RaceLab;

/// <summary>The races.</summary>
internal sealed partial class Lab
{
    public const int Parallel = 100;

    private const int Writers = 4;

    // What is acknowledged before the kill, and again after it.
    private const int EnoughWrites = 150;
    private static readonly TimeSpan BetweenWrites = TimeSpan.FromMilliseconds(20);

    /// <summary>Parallel requests of one visitor, each of which puts another article into the cart.</summary>
    public async Task RaceUpdatesAsync(Pair<Side> sides)
    {
        var (stock, ours) = (new UpdatesResult(), new UpdatesResult());
        Change(state => state.Updates = new(stock, ours));
        Say($"{Parallel} requests of one visitor at once, on each side …");
        await Task.WhenAll(RaceAsync(sides.Stock, stock), RaceAsync(sides.Ours, ours));
        Say($"Done: ASP.NET Core's session lost {stock.Lost} of {Parallel} updates, SessionActors {ours.Lost}.");

        async Task RaceAsync(Side side, UpdatesResult result)
        {
            using var visitor = new Visitor(side);
            await visitor.PostAsync("/log-in/ada");
            var before = await side.Redis.UsageAsync();
            var started = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Parallel).Select(async i =>
            {
                await visitor.PostAsync($"/cart/a{i}", i);
                Change(_ => result.Mark(i, 'a'));
            }));
            var took = TimeProvider.System.GetElapsedTime(started);
            var usage = await side.Redis.UsageAsync() - before;
            var there = await visitor.GetAsync<HashSet<string>>("/cart");
            Change(_ =>
            {
                for (var i = 0; i < Parallel; i++)
                {
                    result.Mark(i, there!.Contains($"a{i}") ? 'k' : 'l');
                }

                (result.Done, result.Milliseconds, result.Redis) = (true, (int)took.TotalMilliseconds, usage);
            });
        }
    }

    /// <summary>A log-out while a slow request of the same session is under way.</summary>
    public async Task RaceLogOutAsync(Pair<Side> sides)
    {
        var (stock, ours) = (new LogOutResult(), new LogOutResult());
        Change(state => state.LogOut = new(stock, ours));
        Say("A slow request is under way while the visitor logs out …");
        await Task.WhenAll(RaceAsync(sides.Stock, stock), RaceAsync(sides.Ours, ours));
        Say($"Done: after the log-out ASP.NET Core's session is {Is(stock)}, that of SessionActors is {Is(ours)}.");

        static string Is(LogOutResult result) => result.User.Length == 0 ? "ended" : "back";

        async Task RaceAsync(Side side, LogOutResult result)
        {
            using var visitor = new Visitor(side);
            await visitor.PostAsync("/log-in/ada");
            using var copy = visitor.Copy();
            Step(1);
            using var upload = new Upload();
            var slow = copy.PostAsync("/photo", upload: upload);
            // The shop asks for the body when the endpoint runs, and so after the session was opened.
            await Task.WhenAny(upload.Begun, slow);
            Step(2);
            await visitor.PostAsync("/log-out", first: 1);
            Step(3);
            upload.End();
            await slow;
            Step(4);
            var user = await copy.GetAsync<string>("/user");
            Change(_ => (result.Done, result.User) = (true, user!));

            void Step(int steps) => Change(_ => result.Steps = steps);
        }
    }

    /// <summary>Kills the server that has a visitor's session, while the visitor writes through both.</summary>
    public async Task RaceKillAsync(Pair<Side> sides)
    {
        var side = sides.Ours;
        var result = new KillResult { Processes = [.. side.Servers.Select(server => server.Id)] };
        Change(state => state.Kill = result);
        Say("The visitor writes through both servers …");
        using var visitor = new Visitor(side);
        // A session lives where it was begun.
        await visitor.PostAsync("/log-in/ada");
        var started = TimeProvider.System.GetTimestamp();
        var (killed, last) = (0L, started);
        var (next, afterKill) = (0, 0);
        var acknowledged = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(WriteAsync));
        var there = await visitor.GetAsync<HashSet<string>>("/cart");
        Change(_ => (result.Done, result.Lost) = (true, acknowledged.Count(article => !there!.Contains(article))));
        Say($"Done: process {result.Processes[0]} was killed; of {acknowledged.Count} acknowledged updates {result.Lost} are lost.");

        async Task WriteAsync(int writer)
        {
            while (afterKill < EnoughWrites)
            {
                var article = $"a{Interlocked.Increment(ref next)}";
                var begun = TimeProvider.System.GetTimestamp();
                var (server, vain) = await visitor.PostAsync($"/cart/{article}", writer);
                Change(_ => Note(article, server, vain, begun));
                await Task.Delay(BetweenWrites, TimeProvider.System);
            }
        }

        void Note(string article, int server, int vain, long begun)
        {
            acknowledged.Add(article);
            (result.Acknowledged, result.Vain) = (acknowledged.Count, result.Vain + vain);
            var beat = (int)(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds / KillResult.BeatMilliseconds);
            while (result.Beats.Count <= beat)
            {
                result.Beats.Add([0, 0]);
            }

            result.Beats[beat][server]++;
            result.LongestPause = Math.Max(result.LongestPause, (int)TimeProvider.System.GetElapsedTime(last).TotalMilliseconds);
            last = TimeProvider.System.GetTimestamp();
            if (killed == 0 && acknowledged.Count == EnoughWrites)
            {
                side.Servers[0].Kill();
                (killed, result.KilledAt) = (TimeProvider.System.GetTimestamp(), beat);
                Say($"Process {result.Processes[0]} is killed; the requests go on at the other …");
            }
            else if (killed != 0 && begun > killed)
            {
                afterKill++;
            }
        }
    }
}
