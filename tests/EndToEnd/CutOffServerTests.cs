using System.Collections.Concurrent;
using System.Net;

namespace SessionActors;

/// <summary>The server that holds a visitor's session is paused, or cut off from Redis, and does not know what it has missed.</summary>
public sealed class CutOffServerTests : IAsyncLifetime
{
    private const int Readers = 8;
    private const int Reads = 100;

    // Shorter than it takes the others to give a server up.
    private const string Lease = "--SessionActors:ServingLease=00:00:01";

    private RedisServer _redis = null!;
    private LossyProxy _proxy = null!;
    private AppProcess _holder = null!;
    private AppProcess _other = null!;
    private Browser _visitor = null!;
    private Browser _elsewhere = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _proxy = LossyProxy.Start(_redis.Port);
        _holder = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_proxy.Address}", Lease);
        _other = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={_redis.Address}", Lease);
        _visitor = new Browser(_holder.Address);
        // A session lives where it was begun.
        await _visitor.GetAsync("/set/a/before");
        _elsewhere = _visitor.At(_other.Address);
    }

    [Fact]
    public async Task A_server_that_was_paused_and_given_up_shows_nothing_old_when_it_wakes()
    {
        // Connections that are open when it wakes.
        await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => _visitor.GetAsync("/get/a")));
        _holder.Pause();
        await Until.TrueAsync(
            async () => await AnswerAsync(_elsewhere, "/set/a/after") is "set", "the other server has taken the session over");

        var answers = new ConcurrentBag<string>();
        var reading = Task.WhenAll(Enumerable.Range(0, Readers).Select(async _ =>
        {
            // Some stand at its door when it wakes. It ends itself when it finds that it was given up, and answers nobody then.
            for (var i = 0; i < Reads && await AnswerAsync(_visitor, "/get/a") is { } answer; i++)
            {
                answers.Add(answer);
            }
        }));
        _holder.Resume();
        await Until.Async(reading, "it is read at the server that has woken up");

        Assert.DoesNotContain("before", answers);
        Assert.Equal("after", await _elsewhere.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_server_cut_off_from_Redis_soon_answers_503_instead_of_from_memory_and_goes_on_by_itself()
    {
        Assert.Equal("before", await _visitor.GetAsync("/get/a"));
        _proxy.Hold();

        await Until.TrueAsync(async () => await AnswerAsync(_visitor, "/get/a") is "503", "reads are refused");
        var refused = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AnswerAsync(_visitor, "/get/a")));
        Assert.All(refused, answer => Assert.Equal("503", answer));
        Assert.Equal("plain", await new Browser(_holder.Address).GetAsync("/plain"));

        _proxy.Release();
        await Until.TrueAsync(async () => await AnswerAsync(_visitor, "/get/a") is "before", "it is read again");
        await Until.TrueAsync(async () => await AnswerAsync(_visitor, "/set/b/after") is "set", "it is written again");
        await Until.TrueAsync(async () => await AnswerAsync(_visitor, "/health/ready") is "Healthy", "the server is well again");
        Assert.Equal("after", await _elsewhere.GetAsync("/get/b"));
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        _elsewhere.Dispose();
        await _holder.DisposeAsync();
        await _other.DisposeAsync();
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>The page, <c>503</c>, or null where nobody answers.</summary>
    private static async Task<string?> AnswerAsync(Browser visitor, string path)
    {
        try
        {
            using var response = await visitor.TryGetAsync(path);
            Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
            return response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsStringAsync() : "503";
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
