using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Sessions at three servers, kept in a Redis Cluster.</summary>
public sealed class ServersOnRedisClusterTests(ClusteredSite site) : IClassFixture<ClusteredSite>
{
    // Each server begins some; that one of three masters has none of them by chance does not happen.
    private const int Visitors = 90;

    [Fact]
    public async Task Sessions_begun_at_all_servers_lie_on_all_masters_and_are_read_and_written_at_every_server()
    {
        var visitors = Enumerable.Range(0, Visitors).Select(site.NewVisitor).ToArray();
        await Task.WhenAll(visitors.Select((visitor, i) => visitor.GetAsync($"/set/begun/{i}")));
        await Task.WhenAll(visitors.Select((visitor, i) => ElsewhereAsync(visitor, i + 1, $"/set/written/{i}")));

        for (var i = 0; i < Visitors; i++)
        {
            for (var server = 0; server < site.Servers.Length; server++)
            {
                Assert.Equal($"{i}", await ElsewhereAsync(visitors[i], server, "/get/begun"));
                Assert.Equal($"{i}", await ElsewhereAsync(visitors[i], server, "/get/written"));
            }
        }

        var keys = visitors.Select(visitor => SiteRedis.KeyOf(visitor.Handle)).ToHashSet();
        var found = 0;
        foreach (var master in site.Redis.Masters)
        {
            var node = (await master.AdminAsync()).GetServer(master.Address);
            var here = node.Keys(pattern: "session:*").Count(key => keys.Contains(key!));
            Assert.InRange(here, 1, Visitors - 1);
            Assert.InRange(await node.DatabaseSizeAsync(), here, long.MaxValue);
            found += here;
        }

        Assert.Equal(Visitors, found);
        var redis = await site.Redis.DatabaseAsync();
        var owners = await Task.WhenAll(keys.Select(key => redis.HashGetAsync(key, "@silo")));
        Assert.Equal(site.Servers.Length, owners.Distinct().Count());
    }

    [Fact]
    public async Task Increments_from_all_servers_count_exactly_while_the_slots_of_their_sessions_move()
    {
        var visitors = Enumerable.Range(0, 8).Select(site.NewVisitor).ToArray();
        await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync("/set/start/1")));
        using var enough = new CancellationTokenSource();
        var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var counting = Task.WhenAll(visitors.Select(visitor => CountAsync(visitor, busy, enough.Token)));
        await Until.Async(Task.WhenAny(busy.Task, counting).Unwrap(), "the visitors are busy");

        // The cluster's members, too, whom every silo looks at each second.
        foreach (var key in visitors.Select(visitor => SiteRedis.KeyOf(visitor.Handle)).Append("session:@members:session"))
        {
            await site.Redis.MoveAsync(await site.Redis.SlotOfAsync(key));
        }

        await enough.CancelAsync();
        var counted = await Until.Async(counting, "the visitors have stopped");
        for (var i = 0; i < visitors.Length; i++)
        {
            Assert.Equal($"{counted[i]}", await ElsewhereAsync(visitors[i], i + 1, "/number/n"));
            var stored = await (await site.Redis.DatabaseAsync()).HashGetAsync(SiteRedis.KeyOf(visitors[i].Handle), "start");
            Assert.Equal("1", stored);
        }
    }

    [Fact]
    public async Task A_destroyed_session_stays_so_at_every_server_under_requests_that_began_before()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/user/ann");
        var (handle, cookie) = (visitor.Handle, visitor.SessionCookie);
        var everywhere = site.Everywhere(visitor);
        var late = await Task.WhenAll(everywhere.Select(there => there.HoldAsync("set", "late", "x")));

        await everywhere[1].GetAsync("/destroy");

        foreach (var request in late)
        {
            using var response = await request.LetGoAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        var stored = await (await site.Redis.DatabaseAsync()).HashGetAllAsync(SiteRedis.KeyOf(handle));
        Assert.Equal([new HashEntry("@ended", "destroyed")], stored);
        foreach (var server in site.Servers)
        {
            using var thief = new Browser(server.Address) { SessionCookie = cookie };
            Assert.Equal("", await thief.GetAsync("/keys"));
        }
    }

    [Fact]
    public async Task Logging_out_everywhere_ends_the_sessions_of_a_user_at_all_servers()
    {
        var user = RequestId.New().ToString();
        var devices = Enumerable.Range(0, 12).Select(site.NewVisitor).ToArray();
        foreach (var device in devices)
        {
            await device.GetAsync($"/bind/{user}");
            await device.GetAsync("/set/user/ann");
        }

        var cookies = devices.Select(device => device.SessionCookie).ToArray();
        Assert.Equal(devices.Length, (await ElsewhereAsync(devices[0], 2, "/devices")).Split('\n').Length);

        await ElsewhereAsync(devices[0], 1, "/log-out-everywhere?others=false");

        for (var i = 0; i < devices.Length; i++)
        {
            foreach (var server in site.Servers)
            {
                using var thief = new Browser(server.Address) { SessionCookie = cookies[i] };
                // Within ServingLease, where a silo could not be told at once.
                await Until.TrueAsync(async () => await thief.GetAsync("/get/user") == "-", $"session {i} has ended at {server.Address}");
            }
        }
    }

    [Fact]
    public async Task Requests_at_all_servers_that_have_a_session_to_themselves_count_exactly()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/start/1");
        var everywhere = site.Everywhere(visitor);

        await Task.WhenAll(Enumerable.Range(0, 120).Select(i => everywhere[i % everywhere.Length].GetAsync("/exclusive/count/n")));

        Assert.Equal("120", await everywhere[1].GetAsync("/number/n"));
    }

    [Fact]
    public async Task Sessions_survive_the_restart_of_the_server_that_they_began_at()
    {
        var visitors = Enumerable.Range(0, 12).Select(_ => site.NewVisitor(2)).ToArray();
        await Task.WhenAll(visitors.Select((visitor, i) => visitor.GetAsync($"/set/before/{i}")));

        await site.RestartAsync(2);

        for (var i = 0; i < visitors.Length; i++)
        {
            Assert.Equal($"{i}", await ElsewhereAsync(visitors[i], 2, "/get/before"));
            await ElsewhereAsync(visitors[i], 2, $"/set/after/{i}");
            Assert.Equal($"{i}", await ElsewhereAsync(visitors[i], i, "/get/after"));
        }
    }

    private async Task<string> ElsewhereAsync(Browser visitor, int server, string path)
    {
        using var there = visitor.At(site.Server(server).Address);
        return await there.GetAsync(path);
    }

    /// <summary>Increments at all servers in turn. None of the requests may fail. Returns how many there were.</summary>
    private async Task<int> CountAsync(Browser visitor, TaskCompletionSource busy, CancellationToken enough)
    {
        var everywhere = site.Everywhere(visitor);
        var count = 0;
        while (!enough.IsCancellationRequested)
        {
            var told = await everywhere[count % everywhere.Length].GetAsync("/increment/n");
            Assert.Equal(++count, int.Parse(told, CultureInfo.InvariantCulture));
            if (count == 10)
            {
                busy.TrySetResult();
            }
        }

        return count;
    }
}
