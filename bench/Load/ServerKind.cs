namespace SessionActors.LoadBench;

/// <summary>What is compared.</summary>
internal enum ServerKind
{
    /// <summary>The same endpoints without any session.</summary>
    Bare,

    /// <summary>The fewest commands to Redis that anybody could write by hand, and no promise kept.</summary>
    Floor,

    /// <summary>ASP.NET Core's session in the memory of the process.</summary>
    StockMemory,

    /// <summary>SessionActors on its embedded store.</summary>
    ActorEmbedded,

    /// <summary>ASP.NET Core's session on Redis.</summary>
    StockRedis,

    /// <summary>Node with express-session, its sessions in Redis by connect-redis.</summary>
    Express,

    /// <summary>SessionActors on Redis.</summary>
    ActorRedis,

    /// <summary>SessionActors on Redis, the web server an Orleans client of a silo in a process of its own.</summary>
    ActorClient,
}

/// <summary>What the tables call them.</summary>
internal static class ServerNames
{
    public static string Name(this ServerKind kind) => kind switch
    {
        ServerKind.Bare => "bare",
        ServerKind.Floor => "by hand, Redis",
        ServerKind.StockMemory => "ASP.NET Core, memory",
        ServerKind.ActorEmbedded => "SessionActors, embedded",
        ServerKind.StockRedis => "ASP.NET Core, Redis",
        ServerKind.Express => "Express, Redis",
        ServerKind.ActorRedis => "SessionActors, Redis",
        ServerKind.ActorClient => "SessionActors, Redis, web tier apart",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
