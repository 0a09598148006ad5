using System.Net;
using StackExchange.Redis;

namespace SessionActors;

public sealed class FaultProxyTests : IAsyncLifetime
{
    private const string CountUp = "return {redis.call('INCR', KEYS[1])}";

    private RedisServer _redis = null!;
    private FaultProxy _proxy = null!;
    private ConnectionMultiplexer _client = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _proxy = new FaultProxy(IPAddress.Loopback, () => _redis.Port);
        _client = await ConnectionMultiplexer.ConnectAsync($"{_proxy.Address},asyncTimeout=1000,abortConnect=false");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reply_that_is_lost_was_executed(bool silently)
    {
        await CountUpAsync();
        _proxy.LoseReplies(1, silently);

        await Assert.ThrowsAnyAsync<Exception>(CountUpAsync);

        Assert.Equal(2, (int)await (await _redis.DatabaseAsync()).StringGetAsync("n"));
        Assert.InRange(_proxy.LostReplies, 1, long.MaxValue);
        _proxy.LoseReplies(0, silently);
        _proxy.ResetAll();
        await Until.TrueAsync(AnswersAsync, "the client is connected again");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stalled_direction_lets_nothing_through_until_it_is_opened(bool requests)
    {
        await CountUpAsync();
        var gate = requests ? _proxy.Requests : _proxy.Replies;
        gate.Close();

        await Assert.ThrowsAnyAsync<Exception>(CountUpAsync);

        Assert.Equal(requests ? 1 : 2, (int)await (await _redis.DatabaseAsync()).StringGetAsync("n"));
        gate.Open();
        await Until.TrueAsync(AnswersAsync, "the client is answered again");
    }

    [Fact]
    public async Task Cut_lets_nobody_in_until_it_is_mended()
    {
        await CountUpAsync();
        _proxy.Cut();
        await Assert.ThrowsAnyAsync<Exception>(CountUpAsync);
        Assert.False(await AnswersAsync());

        _proxy.Mend();

        await Until.TrueAsync(AnswersAsync, "the client is connected again");
    }

    [Fact]
    public async Task Latency_is_there_each_way()
    {
        await CountUpAsync();
        _proxy.Latency = TimeSpan.FromMilliseconds(100);
        var began = TimeProvider.System.GetTimestamp();

        await CountUpAsync();

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(200), TimeSpan.MaxValue);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private Task<RedisResult> CountUpAsync() => _client.GetDatabase().ScriptEvaluateAsync(CountUp, ["n"]);

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await CountUpAsync();
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }
}
