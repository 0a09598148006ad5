using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using SessionActors;
using SessionActors.Backoffice;
using StackExchange.Redis;

CommandLine command;
try
{
    command = CommandLine.Parse(args);
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}\n\n{CommandLine.Usage}");
    return 2;
}

var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
builder.UseOrleansClient(client =>
{
    client.Configure<ClusterOptions>(cluster => cluster.ClusterId = cluster.ServiceId = command.Cluster);
    // Left alone, a client waits for a silo for ever.
    client.UseConnectionRetryFilter((_, _) => Task.FromResult(false));
    if (command.Redis is null)
    {
        client.UseStaticClustering(command.Gateway);
    }
    else
    {
        client.UseRedisClustering(redis =>
        {
            redis.ConfigurationOptions = ConfigurationOptions.Parse(command.Redis);
            redis.CreateRedisKey = cluster => $"{command.Prefix}@members:{cluster.ClusterId}";
        });
    }
});

// Left alone, Orleans looks for a silo for minutes. The host is not disposed where it found none: that would wait for it to give up.
var patience = TimeSpan.FromSeconds(10);
var host = builder.Build();
try
{
    await host.StartAsync().WaitAsync(patience, TimeProvider.System);
    var session = host.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(command.Handle);
    var done = command.Verb switch
    {
        "show" => await ShowAsync(session),
        "set" => await SetAsync(session, command.Name, PropertyValue.Parse(command.Value)),
        _ => await DestroyAsync(session),
    };
    await host.StopAsync();
    host.Dispose();
    return done ? 0 : 1;
}
catch (SessionException e)
{
    return await FailAsync(e.Message);
}
catch (Exception e) when (e is OrleansException or RedisException or TimeoutException or InvalidOperationException)
{
    var where = command.Redis is null ? $"at {command.Gateway}"
        : $"of cluster '{command.Cluster}' through Redis {ConfigurationOptions.Parse(command.Redis).ToString(includePassword: false)}";
    return await FailAsync(
        $"No silo {where} answers: {e.Message}\nStart the shop (dotnet run --project samples/Cart), or say where the silos are and what "
        + "their cluster is called with --gateway, --redis and --cluster.");
}

static async Task<int> FailAsync(string message)
{
    await Console.Error.WriteLineAsync(message);
    return 1;
}

static async Task<bool> ShowAsync(ISessionGrain session)
{
    if (await session.ReadAsync() is not { } snapshot)
    {
        await Console.Error.WriteLineAsync("There is no such session (any more).");
        return false;
    }

    Console.WriteLine($"version {snapshot.Version}, idle time-out {snapshot.Ttl}, {snapshot.Properties.Count} properties");
    foreach (var (name, value) in snapshot.Properties.OrderBy(p => p.Key, StringComparer.Ordinal))
    {
        Console.WriteLine($"  {name} = {PropertyValue.Show(value.Span)}");
    }

    return true;
}

static async Task<bool> SetAsync(ISessionGrain session, string name, byte[] value)
{
    var version = await session.CommitAsync(SessionDelta.Empty.Set(name, value));
    Console.WriteLine($"{name} = {PropertyValue.Show(value)}, version {version}");
    return true;
}

static async Task<bool> DestroyAsync(ISessionGrain session)
{
    await session.DestroyAsync();
    Console.WriteLine("The session has ended.");
    return true;
}
