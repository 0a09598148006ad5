using Orleans.Configuration;
using StackExchange.Redis;

namespace SessionActors.TestApp;

/// <summary>A web server that has no silo of its own, as the README says how.</summary>
internal static class SilosElsewhere
{
    public static void UseSilosElsewhere(this WebApplicationBuilder builder) => builder.UseOrleansClient(client =>
    {
        client.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = "session");
        client.UseRedisClustering(redis =>
        {
            redis.ConfigurationOptions = ConfigurationOptions.Parse(builder.Configuration["SessionActors:Redis"]!);
            redis.CreateRedisKey = cluster => $"session:@members:{cluster.ClusterId}";
        });
    });
}
