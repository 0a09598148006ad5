namespace SessionActors;

/// <summary>The cuts cut what they should and nothing else. Where the machine has no namespaces, that is said and nothing is cut.</summary>
public sealed class NetworkTests
{
    [Fact]
    public async Task Each_cut_cuts_what_it_says_and_is_mended()
    {
        await using var world = await FaultWorld.StartAsync(new CampaignSettings { Seed = 1, Servers = 2 });
        if (world.Network is not { } network)
        {
            Assert.False(string.IsNullOrEmpty(world.WhyNoNetwork));
            return;
        }

        var front = new Front(world.Servers[..1], world.Clock, mostPerServer: 1);
        var begun = await front.AskAsync("/set/a/b", cookie: null);
        Assert.True(begun.IsDone);

        await network.CutFromRedisAsync(0, cut: true);
        var without = await front.AskAsync("/set/a/c", begun.Http.Cookie);
        Assert.False(without.IsDone);
        await network.CutFromRedisAsync(0, cut: false);
        await Until.TrueAsync(async () => (await front.AskAsync("/set/a/d", begun.Http.Cookie)).IsDone, "Redis is reached again");

        await network.UnplugAsync(0, plugged: false);
        // On the connection that is there: the client gives up by itself.
        var cutOff = await front.AskAsync("/get/a", begun.Http.Cookie);
        Assert.Equal(0, cutOff.Http.Status);
        Assert.Null(front.LastHang);
        Assert.Equal(0, await StatusAsync(world.Servers[0]));
        await network.UnplugAsync(0, plugged: true);
        await Until.TrueAsync(async () => await StatusAsync(world.Servers[0]) == 200, "it is reached again");
    }

    [Fact]
    public async Task A_server_without_a_plug_changes_nothing_for_the_others()
    {
        var (network, whyNot) = await Network.TryCreateAsync(servers: 2);
        if (network is null)
        {
            Assert.False(string.IsNullOrEmpty(whyNot));
            return;
        }

        await using var _ = network;
        var before = await network.GatewayHardwareAsync();
        for (var server = 0; server < 2; server++)
        {
            await network.UnplugAsync(server, plugged: false);
            Assert.Equal(before, await network.GatewayHardwareAsync());
            await network.UnplugAsync(server, plugged: true);
            Assert.Equal(before, await network.GatewayHardwareAsync());
        }
    }

    // Of a server without a plug nothing ever comes back, so that somebody has to stop waiting.
    private static async Task<int> StatusAsync(AppServer server)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), TimeProvider.System);
        return (await server.Http!.GetAsync("/plain", null, patience.Token)).Status;
    }
}
