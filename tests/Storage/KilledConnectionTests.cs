using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// What the Redis client does while its connections are killed under many callers. One version of it gave callers each other's replies.
/// </summary>
public sealed class KilledConnectionTests
{
    private const int Callers = 400;
    private const int Kills = 300;

    // So many replies come between two kills that the connection is at work again.
    private const int RepliesBetween = 2 * Callers;

    [Fact]
    public async Task ReplyOverAConnectionThatIsKilledAgainAndAgain_GoesToWhoeverAskedForIt()
    {
        await using var server = await RedisServer.StartAsync();
        var settings = ConfigurationOptions.Parse(server.ConnectionString);
        settings.AbortOnConnectFail = false;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(50);
        settings.ReconnectRetryPolicy = new LinearRetry(1);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(settings);
        var database = connection.GetDatabase();
        var (asked, answered, strange, isOver) = (0L, 0L, 0L, false);

        var callers = Enumerable.Range(0, Callers).Select(_ => AskAsync()).ToArray();
        var admin = await server.DatabaseAsync();
        for (var i = 0; i < Kills; i++)
        {
            var enough = Interlocked.Read(ref answered) + RepliesBetween;
            await Until.TrueAsync(() => Interlocked.Read(ref answered) >= enough, "the connection is at work again");
            await admin.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(callers);

        Assert.Equal(0, strange);

        async Task AskAsync()
        {
            while (!Volatile.Read(ref isOver))
            {
                var word = $"{Interlocked.Increment(ref asked)}";
                try
                {
                    var reply = (string?)await database.ExecuteAsync("ECHO", word);
                    Interlocked.Increment(ref answered);
                    Interlocked.Add(ref strange, reply == word ? 0 : 1);
                }
                catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
                {
                    // Killed with the connection: no reply is no wrong one.
                    await Task.Yield();
                }
            }
        }
    }
}
