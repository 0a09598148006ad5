using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Two silos of one cluster over a real Redis, with a network that fails on the way to it.</summary>
public sealed class RedisClusterTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private LossyProxy _proxy = null!;
    private RedisConnection _connection = null!;
    private SessionCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _proxy = LossyProxy.Start(_redis.Port);
        var options = Options.Create(new SessionActorsOptions { Redis = _proxy.Address });
        _connection = new RedisConnection(options);
        // Real time for the store's clock and the grains': Redis has no other.
        _cluster = await SessionCluster.StartAsync(new RedisSessionStorage(_connection, options), TimeProvider.System, silos: 2);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _connection.DisposeAsync();
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Many_sessions_written_through_both_silos_lose_nothing_and_count_exactly()
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _cluster.NewSessionAsync()));

        await Task.WhenAll(sessions.SelectMany(session => Enumerable.Range(0, 20).SelectMany(i => new Task[]
        {
            session.CommitAsync(SessionDelta.Empty.Set($"p{i}", "x"u8)), session.IncrementAsync("n"),
        })));

        foreach (var session in sessions)
        {
            await _cluster.DeactivateAsync(session);
            Assert.Equal(22, (await session.ReadAsync())!.Properties.Count);
            Assert.Equal(20, await session.IncrementAsync("n", 0));
        }
    }

    [Theory]
    [InlineData(ProxyFault.LoseReply)]
    [InlineData(ProxyFault.LoseRequest)]
    [InlineData(ProxyFault.Duplicate)]
    [InlineData(ProxyFault.GarbleReply)]
    internal async Task A_fault_on_the_way_to_Redis_neither_loses_nor_repeats_an_increment(ProxyFault fault)
    {
        var session = await _cluster.NewSessionAsync();

        for (var i = 1; i <= 5; i++)
        {
            var struck = _proxy.Next(fault);
            Assert.Equal(i, await session.IncrementAsync("n"));
            await Until.Async(struck, $"the proxy did {fault}");
        }

        await _cluster.DeactivateAsync(session);
        Assert.Equal(5, await session.IncrementAsync("n", 0));
    }

    [Theory]
    [InlineData(ProxyFault.LoseReply)]
    [InlineData(ProxyFault.Duplicate)]
    internal async Task A_create_or_destroy_whose_reply_is_lost_is_done_once(ProxyFault fault)
    {
        await _cluster.NewSessionAsync();

        var created = _proxy.Next(fault);
        var session = await _cluster.NewSessionAsync();
        await Until.Async(created, $"the proxy did {fault} to the create");
        Assert.Equal(1, (await session.ReadAsync())!.Version);

        var destroyed = _proxy.Next(fault);
        await session.DestroyAsync();
        await Until.Async(destroyed, $"the proxy did {fault} to the destroy");
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task When_the_silo_that_holds_the_session_dies_the_other_one_goes_on_with_all_of_it()
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _cluster.NewSessionAsync()));
        await Task.WhenAll(sessions.Select(session => session.IncrementAsync("n", 41)));

        await _cluster.Silos.KillSiloAsync(_cluster.Silos.Silos[1], TestContext.Current.CancellationToken);

        foreach (var session in sessions)
        {
            await Until.TrueAsync(
                async () =>
                {
                    try
                    {
                        return await session.IncrementAsync("n", 0) == 41;
                    }
                    catch (SessionUnavailableException)
                    {
                        return false;
                    }
                },
                "the session is found at the other silo");
        }
    }
}
