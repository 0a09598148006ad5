namespace SessionActors;

/// <summary>From whom a server is cut off.</summary>
internal enum Cut
{
    /// <summary>From everybody, clients too: its plug is pulled.</summary>
    All,

    /// <summary>From the other servers and from Redis; clients reach it.</summary>
    PeersAndRedis,

    /// <summary>From the other servers.</summary>
    Peers,

    /// <summary>From Redis: packets vanish.</summary>
    Redis,

    /// <summary>Every server from every other.</summary>
    EachOther,

    /// <summary>From Redis, by the proxy: connections are refused. Needs no network of our own.</summary>
    RedisRefused,
}

/// <summary>A server is cut off.</summary>
internal sealed class CutFault(AppServer server, Cut cut, TimeSpan lasts) : Fault
{
    public const string Name = "cut";

    public override string Kind => cut switch
    {
        Cut.All => $"{Name} from all",
        Cut.PeersAndRedis => $"{Name} from peers and Redis",
        Cut.Peers => $"{Name} from peers",
        Cut.Redis => $"{Name} from Redis (silence)",
        Cut.EachOther => $"{Name} of each from each",
        _ => $"{Name} from Redis (refused)",
    };

    public override AppServer? Server => cut == Cut.EachOther ? null : server;

    public override bool HidesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world) => SetAsync(world, cutOff: true);

    public override Task HealAsync(FaultWorld world) => SetAsync(world, cutOff: false);

    private async Task SetAsync(FaultWorld world, bool cutOff)
    {
        if (cut == Cut.RedisRefused)
        {
            if (cutOff)
            {
                server.Redis.Cut();
            }
            else
            {
                server.Redis.Mend();
            }

            return;
        }

        var network = world.Network ?? throw new InvalidOperationException($"{Kind} needs a network of our own.");
        switch (cut)
        {
            case Cut.All:
                await network.UnplugAsync(server.Number, plugged: !cutOff);
                break;
            case Cut.EachOther:
                await network.IsolateAllAsync(cutOff);
                break;
        }

        if (cut is Cut.Peers or Cut.PeersAndRedis)
        {
            await network.CutFromPeersAsync(server.Number, cutOff);
        }

        if (cut is Cut.Redis or Cut.PeersAndRedis)
        {
            await network.CutFromRedisAsync(server.Number, cutOff);
        }
    }
}
