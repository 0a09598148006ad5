using System.Security.Cryptography;
using StackExchange.Redis;

namespace SessionActors.LoadBench;

/// <summary>
/// What a session in Redis costs at the least: the cookie's value is the key, a read is one command and a write two. Whoever knows a key
/// can read and write what is there, sessions come back after their end, and nothing is read before it is written over.
/// </summary>
internal static class FloorEndpoints
{
    private const string Cookie = "floor";
    private const string Property = "value";

    // As long as ASP.NET Core's and SessionActors' sessions live.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(20);

    public static void Map(WebApplication app)
    {
        var redis = app.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
        app.MapGet("/read", async (HttpContext http) => (string?)await redis.HashGetAsync(KeyOf(http), Property) ?? "-");
        app.MapGet("/write", async (HttpContext http) =>
        {
            var (key, value) = (KeyOf(http), BenchServer.NextValue());
            // Both are on their way before the first is answered.
            var written = redis.HashSetAsync(key, Property, value);
            var prolonged = redis.KeyExpireAsync(key, IdleTimeout);
            await written;
            await prolonged;
            return value;
        });
    }

    private static string KeyOf(HttpContext http)
    {
        var key = http.Request.Cookies[Cookie];
        if (key is null)
        {
            key = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
            http.Response.Cookies.Append(Cookie, key);
        }

        return $"floor:{key}";
    }
}
