namespace SessionActors;

/// <summary>A new version is rolled out: servers are replaced one after the other while visitors go on.</summary>
public sealed class RollingDeploymentTests
{
    private const int Visitors = 8;
    private const int Between = 200;

    [Fact]
    public async Task No_request_fails_and_nothing_is_lost_while_three_servers_are_replaced_one_by_one()
    {
        await using var redis = await RedisServer.StartAsync();
        var servers = new List<AppProcess>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                servers.Add(await StartAsync(redis));
            }

            var (rotation, answered, stop) = (servers.Select(server => server.Address).ToArray(), 0, false);
            var at = new Uri?[Visitors];
            var visits = Enumerable.Range(0, Visitors).Select(n => VisitAsync(n)).ToArray();
            foreach (var old in servers.ToArray())
            {
                // As a balancer does: a server that is to go gets nothing new, and answers what it has.
                await AnsweredAsync();
                Volatile.Write(ref rotation, [.. rotation.Where(address => address != old.Address)]);
                await Until.TrueAsync(() => !Array.Exists(at, address => address == old.Address), "nobody waits for the server that goes");
                await old.StopAsync();
                var next = await StartAsync(redis);
                servers.Add(next);
                Volatile.Write(ref rotation, [.. rotation, next.Address]);
            }

            await AnsweredAsync();
            stop = true;
            await Task.WhenAll(visits);

            Task AnsweredAsync()
            {
                var from = Volatile.Read(ref answered);
                return Until.TrueAsync(
                    () => Array.Exists(visits, visit => visit.IsFaulted) || Volatile.Read(ref answered) - from >= Between,
                    "visitors are answered");
            }

            async Task VisitAsync(int number)
            {
                using var visitor = new Browser(rotation[0]);
                for (var n = 1; !Volatile.Read(ref stop); n++)
                {
                    using var here = visitor.At(Choose(number, n));
                    Assert.Equal($"{n}", await here.GetAsync("/increment/n"));
                    Volatile.Write(ref at[number], null);
                    Interlocked.Increment(ref answered);
                }
            }

            Uri Choose(int number, int n)
            {
                while (true)
                {
                    var now = Volatile.Read(ref rotation);
                    Interlocked.Exchange(ref at[number], now[(number + n) % now.Length]);
                    // Else it was taken out meanwhile.
                    if (Volatile.Read(ref rotation) == now)
                    {
                        return at[number]!;
                    }
                }
            }
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static Task<AppProcess> StartAsync(RedisServer redis) =>
        AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={redis.Address}");
}
