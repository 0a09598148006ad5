using System.Runtime.CompilerServices;
using System.Text.Json;

namespace SessionActors.RaceLab;

/// <summary>Both sides, the races between them, and what the page is told.</summary>
internal sealed partial class Lab(CancellationToken stopping) : IAsyncDisposable
{
    private const int PointsOfChart = 120;
    private const int Others = 4;
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenPoints = TimeSpan.FromMilliseconds(500);

    private readonly LabState _state = new();

    // Whose turn it is, asks the shops: a race counts nothing but its own.
    private readonly SemaphoreSlim _turn = new(1);

    private long _version;
    private int _watchers;
    private Pair<Side>? _sides;
    private Task _background = Task.CompletedTask;

    public async Task StartAsync()
    {
        var (stock, ours) = (Side.StartAsync("stock", 1, stopping), Side.StartAsync("actors", 2, stopping));
        try
        {
            await Task.WhenAll(stock, ours);
        }
        catch
        {
            foreach (var side in new[] { stock, ours }.Where(side => side.IsCompletedSuccessfully))
            {
                await (await side).DisposeAsync();
            }

            throw;
        }

        _sides = new(await stock, await ours);
        Change(state =>
        {
            state.Servers = new(_sides.Stock.Servers, _sides.Ours.Servers);
            (state.Ready, state.Status) = (true, "Ready. Begin a race.");
        });
        _background = Task.WhenAll(TryAsync(DrawChartAsync), TryAsync(ShopAsync));
    }

    public string Json()
    {
        lock (_state)
        {
            return JsonSerializer.Serialize(_state, JsonSerializerOptions.Web);
        }
    }

    /// <summary>The state now, and each time that it has changed.</summary>
    public async IAsyncEnumerable<string> WatchAsync([EnumeratorCancellation] CancellationToken gone)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
        using var glances = new PeriodicTimer(Glance, TimeProvider.System);
        Interlocked.Increment(ref _watchers);
        try
        {
            var seen = -1L;
            do
            {
                if (Interlocked.Read(ref _version) is var version && version != seen)
                {
                    seen = version;
                    yield return Json();
                }
            }
            while (await NextAsync(glances, end.Token));
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }
    }

    /// <summary>Begins something, unless something else is under way.</summary>
    /// <returns>Why not; null where it has begun.</returns>
    public string? TryBegin(string name, Func<Pair<Side>, Task> race)
    {
        lock (_state)
        {
            if (_sides is not { } sides)
            {
                return "The shops are being started. Wait for them.";
            }

            if (_state.Running is { } other)
            {
                return $"'{other}' is under way. Wait for its end.";
            }

            if (name == "kill" && sides.Ours.Servers.Any(server => !server.Runs))
            {
                return "One server is killed already, and the other has to go on. Start it again first.";
            }

            _state.Running = name;
            _ = TryAsync(() => RunAsync(() => race(sides)));
            return null;
        }
    }

    public async Task StartKilledAsync(Pair<Side> sides)
    {
        Say("Starting the killed server again …");
        await Task.WhenAll(sides.Ours.Servers.Where(server => !server.Runs).Select(server => server.StartAsync(stopping)));
        Say("Both servers run.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_sides is { } sides)
        {
            await Task.WhenAll(sides.Stock.DisposeAsync().AsTask(), sides.Ours.DisposeAsync().AsTask());
        }

        await _background;
        _turn.Dispose();
    }

    private async Task RunAsync(Func<Task> race)
    {
        await _turn.WaitAsync(stopping);
        try
        {
            await race();
        }
        finally
        {
            _turn.Release();
            Change(state => (state.Running, state.Ended) = (null, state.Ended + 1));
        }
    }

    // What goes wrong is shown on the page, unless it does because everything ends.
    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e)
        {
            if (!stopping.IsCancellationRequested)
            {
                Change(state => (state.Status, state.Failed) = (e.Message, true));
            }
        }
    }

    private async Task DrawChartAsync()
    {
        using var points = new PeriodicTimer(BetweenPoints, TimeProvider.System);
        var first = await TotalsAsync();
        var last = new Pair<Total>(default, default);
        while (await NextAsync(points, stopping))
        {
            // In the middle of a burst, commands would count for requests that are not answered yet.
            if (Math.Max(_sides!.Stock.UnderWay, _sides.Ours.UnderWay) > Others)
            {
                continue;
            }

            var now = await TotalsAsync();
            var sum = new Pair<Total>(now.Stock - first.Stock, now.Ours - first.Ours);
            Change(state =>
            {
                state.Totals = sum;
                state.Chart.Add(new((sum.Stock - last.Stock).PerRequest, (sum.Ours - last.Ours).PerRequest));
                state.Chart.RemoveRange(0, Math.Max(0, state.Chart.Count - PointsOfChart));
            });
            last = sum;
        }

        async Task<Pair<Total>> TotalsAsync() => new(await _sides!.Stock.TotalAsync(), await _sides.Ours.TotalAsync());
    }

    // Other visitors, who look three times as often as they put something into the cart: while somebody watches.
    private async Task ShopAsync()
    {
        using var rounds = new PeriodicTimer(Glance, TimeProvider.System);
        Visitor[] stock = [.. VisitorsOf(_sides!.Stock)], ours = [.. VisitorsOf(_sides.Ours)];
        await Task.WhenAll(stock.Concat(ours).Select(visitor => visitor.PostAsync("/log-in/grace")));
        for (var round = 0; await NextAsync(rounds, stopping); round++)
        {
            if (Volatile.Read(ref _watchers) > 0)
            {
                await _turn.WaitAsync(stopping);
                try
                {
                    await Task.WhenAll(OneRound(stock, round).Concat(OneRound(ours, round)));
                }
                finally
                {
                    _turn.Release();
                }
            }
        }

        static IEnumerable<Visitor> VisitorsOf(Side side) => Enumerable.Range(0, Others).Select(_ => new Visitor(side));

        static IEnumerable<Task> OneRound(Visitor[] visitors, int round) => visitors.Select(Task (visitor, i) =>
            i == round % Others ? visitor.PostAsync($"/cart/a{round % 10}", round) : visitor.GetAsync<string[]>("/cart", round));
    }

    private void Say(string status) => Change(state => (state.Status, state.Failed) = (status, false));

    private void Change(Action<LabState> change)
    {
        lock (_state)
        {
            change(_state);
            Interlocked.Increment(ref _version);
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken end)
    {
        try
        {
            return await timer.WaitForNextTickAsync(end);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
