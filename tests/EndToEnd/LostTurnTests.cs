using System.Net;

namespace SessionActors;

/// <summary>Whoever has a session to itself is killed, paused or too slow; others wait for too long, or too many of them.</summary>
public sealed class LostTurnTests : IAsyncLifetime
{
    private static readonly string[] Short =
    [
        "--SessionActors:LockExpiry=00:00:01", "--SessionActors:MaxWaiters=2", "--SessionActors:LeaseWait=00:00:20",
    ];

    private RedisServer _redis = null!;
    private AppProcess _owner = null!;
    private AppProcess _other = null!;
    private Browser _visitor = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _owner = await AppProcess.StartAsync(Site.App, [$"--SessionActors:Redis={_redis.Address}", .. Short]);
        _other = await AppProcess.StartAsync(Site.App, [$"--SessionActors:Redis={_redis.Address}", .. Short]);
        // A session lives where it was begun.
        _visitor = new Browser(_owner.Address);
        await _visitor.GetAsync("/set/a/before");
    }

    [Fact]
    public async Task After_the_kill_of_the_server_whose_request_had_the_session_the_next_one_has_it()
    {
        using var elsewhere = _visitor.At(_other.Address);
        var (_, held) = await HoldAsync(elsewhere, "killed");
        var next = _visitor.GetAsync("/exclusive/set/a/next");

        _other.Kill();

        Assert.Equal("set", await next);
        await Assert.ThrowsAsync<HttpRequestException>(() => held);
        Assert.Equal("next", await _visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_request_that_was_paused_for_too_long_overwrites_nothing()
    {
        using var elsewhere = _visitor.At(_other.Address);
        var (gate, held) = await HoldAsync(elsewhere, "paused");
        _other.Pause();
        await _visitor.GetAsync("/exclusive/set/a/next");

        _other.Resume();

        // Its server may have been given up meanwhile, and ends itself then; otherwise its page is refused.
        await TryOpenAsync(elsewhere, gate);
        Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(held));
        Assert.Equal("next", await _visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task One_too_many_in_the_queue_is_told_to_come_again()
    {
        var (gate, held) = await HoldAsync(_visitor, "held");
        var answers = Enumerable.Range(0, 3).Select(i => _visitor.TryGetAsync($"/exclusive/set/n{i}/1")).ToList();

        var first = await Task.WhenAny(answers);
        using (var refused = await first)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
            var body = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("MaxWaiters = 2", body, StringComparison.Ordinal);
        }

        await _visitor.GetAsync($"/gates/{gate}/open");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(held));
        foreach (var answer in answers.Where(answer => answer != first))
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(answer));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        await _owner.DisposeAsync();
        await _other.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private static async Task<(string Gate, Task<HttpResponseMessage> Response)> HoldAsync(Browser visitor, string value)
    {
        var gate = RequestId.New().ToString();
        var response = visitor.TryGetAsync($"/exclusive/hold/{gate}?name=a&value={value}");
        await visitor.GetAsync($"/gates/{gate}/arrived");
        return (gate, response);
    }

    private static async Task TryOpenAsync(Browser visitor, string gate)
    {
        try
        {
            await visitor.GetAsync($"/gates/{gate}/open");
        }
        catch (HttpRequestException)
        {
            // The server is gone.
        }
    }

    private static async Task<HttpStatusCode?> StatusAsync(Task<HttpResponseMessage> response)
    {
        try
        {
            using var answer = await response;
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
