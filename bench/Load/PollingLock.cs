using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>
/// What session locks outside are like: a key in Redis that whoever waits asks for again and again. connect-smart-redis asks every 100 ms,
/// phpredis every 20 ms unless told otherwise.
/// </summary>
internal sealed class PollingLock(IConnectionMultiplexer redis)
{
    private const string Unlock = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(5);

    public async Task<T> WithinAsync<T>(string name, TimeSpan retryTime, Func<Task<T>> work)
    {
        var (database, key, token) = (redis.GetDatabase(), $"lock:{name}", RequestId.New().ToString());
        while (!await database.StringSetAsync(key, token, Expiry, When.NotExists))
        {
            await Task.Delay(retryTime, TimeProvider.System);
        }

        try
        {
            return await work();
        }
        finally
        {
            await database.ScriptEvaluateAsync(Unlock, [key], [token]);
        }
    }
}
