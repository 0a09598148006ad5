using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace SessionActors;

/// <summary>The server that holds a visitor's session goes away while the visitor writes.</summary>
public sealed class KilledServerTests : IAsyncLifetime
{
    private const int Writers = 8;

    // Every session moves by itself, so that many of them meet the stop at every point of a call.
    private const int Visitors = 60;

    // Enough that all writers are in the middle of their work.
    private const int WritesBefore = 200;

    private readonly ConcurrentBag<string> _acknowledged = [];
    private readonly ConcurrentBag<string> _refused = [];
    private readonly TaskCompletionSource _busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _enough = new();
    private RedisServer _redis = null!;
    private AppProcess _holder = null!;
    private AppProcess _other = null!;
    private Browser _visitor = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _holder = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_redis.Address}");
        _other = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_redis.Address}");
        _visitor = new Browser(_holder.Address);
        // A session lives where it was begun.
        await _visitor.GetAsync("/set/start/1");
    }

    [Fact]
    public async Task After_a_kill_the_visitor_goes_on_at_the_other_server_with_everything_acknowledged()
    {
        using var elsewhere = _visitor.At(_other.Address);
        var writing = WriteAsync(Enumerable.Range(0, Writers).Select(i => i % 2 == 0 ? _visitor : elsewhere));
        await Until.Async(_busy.Task, "the writers are busy");

        _holder.Kill();

        await Until.TrueAsync(async () => await TryAsync(elsewhere, "/set/after/kill"), "the visitor can write at the other server");
        await _enough.CancelAsync();
        await writing;
        await AssertNothingLostAsync(elsewhere);
        Assert.NotEmpty(_refused);
        Assert.Equal("kill", await elsewhere.GetAsync("/get/after"));
    }

    [Fact]
    public async Task After_a_kill_an_increment_counted_once_what_was_acknowledged_and_at_most_once_what_was_not()
    {
        using var elsewhere = _visitor.At(_other.Address);
        var writing = WriteAsync(Enumerable.Range(0, Writers).Select(i => i % 2 == 0 ? _visitor : elsewhere), "/increment/n");
        await Until.Async(_busy.Task, "the writers are busy");

        _holder.Kill();

        await Until.TrueAsync(async () => await TryAsync(elsewhere, "/set/after/kill"), "the visitor can write at the other server");
        await _enough.CancelAsync();
        await writing;
        var counted = int.Parse(await elsewhere.GetAsync("/number/n"), CultureInfo.InvariantCulture);
        Assert.InRange(counted, _acknowledged.Count, _acknowledged.Count + _refused.Count);
    }

    [Fact]
    public async Task An_orderly_stop_is_not_noticed_at_the_other_server()
    {
        var visitors = Enumerable.Range(0, Visitors).Select(_ => new Browser(_holder.Address)).ToArray();
        await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync("/set/start/1")));
        var elsewhere = visitors.Select(visitor => visitor.At(_other.Address)).ToArray();
        var writing = WriteAsync(elsewhere);
        await Until.Async(_busy.Task, "the writers are busy");

        await _holder.StopAsync();

        var stoppedAt = _acknowledged.Count;
        await Until.TrueAsync(() => _acknowledged.Count > stoppedAt + WritesBefore, "the visitors write on at the other server");
        await _enough.CancelAsync();
        await writing;
        Assert.Empty(_refused);
        await AssertNothingLostAsync(elsewhere);
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        _enough.Dispose();
        await _holder.DisposeAsync();
        await _other.DisposeAsync();
        await _redis.DisposeAsync();
    }

    // A few properties for each writer, over and over: what is acknowledged last must be there, and the session stays small.
    private Task WriteAsync(IEnumerable<Browser> visitors, string? path = null) => Task.WhenAll(visitors.Select(async (visitor, writer) =>
    {
        for (var i = 0; !_enough.IsCancellationRequested; i++)
        {
            if (await TryAsync(visitor, path ?? $"/set/w{writer}/{i}"))
            {
                _acknowledged.Add($"w{writer}={i}");
            }
            else
            {
                _refused.Add($"w{writer}={i}");
                if (visitor.Address == _holder.Address)
                {
                    return;
                }
            }

            if (_acknowledged.Count > WritesBefore)
            {
                _busy.TrySetResult();
            }
        }
    }));

    private static async Task<bool> TryAsync(Browser visitor, string path)
    {
        try
        {
            using var response = await visitor.TryGetAsync(path);
            Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task AssertNothingLostAsync(params Browser[] visitors)
    {
        foreach (var writer in _acknowledged.Select(write => write.Split('=')).GroupBy(write => write[0], write => Number(write[1])))
        {
            // One writer's values grow, so a smaller one than the last acknowledged is a lost update. A larger one was not acknowledged.
            var visitor = visitors[Number(writer.Key[1..]) % visitors.Length];
            Assert.InRange(Number(await visitor.GetAsync($"/get/{writer.Key}")), writer.Max(), int.MaxValue);
        }

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }
}
