namespace SessionActors;

/// <summary>Scripts run and their replies get lost, again and again, between Redis and every server.</summary>
internal sealed class LostRepliesFault(int times, bool silently, TimeSpan lasts) : Fault
{
    public const string Name = "replies lost";

    public override string Kind => silently ? $"{Name} (silence)" : $"{Name} (reset)";

    public override bool HidesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        Array.ForEach(world.Servers, server => server.Redis.LoseReplies(times, silently));
        return Task.CompletedTask;
    }

    public override Task HealAsync(FaultWorld world)
    {
        foreach (var server in world.Servers)
        {
            server.Redis.LoseReplies(0, silently);
            if (silently)
            {
                // A connection that was silenced stays so until somebody ends it.
                server.Redis.ResetAll();
            }
        }

        return Task.CompletedTask;
    }
}

/// <summary>The way to and from Redis takes longer.</summary>
internal sealed class LatencyFault(TimeSpan eachWay, TimeSpan lasts) : Fault
{
    public const string Name = "latency";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world) => SetAsync(world, eachWay);

    public override Task HealAsync(FaultWorld world) => SetAsync(world, TimeSpan.Zero);

    private static Task SetAsync(FaultWorld world, TimeSpan latency)
    {
        Array.ForEach(world.Servers, server => server.Redis.Latency = latency);
        return Task.CompletedTask;
    }
}

/// <summary>Nothing gets through between one server and Redis in one direction; connections stay open.</summary>
internal sealed class StallFault(AppServer server, bool requests, TimeSpan lasts) : Fault
{
    public const string Name = "stall";

    public override string Kind => requests ? $"{Name} of requests" : $"{Name} of replies";

    public override AppServer Server => server;

    public override bool HidesRedis => true;

    public override TimeSpan Lasts => lasts;

    private FaultGate Gate => requests ? server.Redis.Requests : server.Redis.Replies;

    public override Task StrikeAsync(FaultWorld world)
    {
        Gate.Close();
        return Task.CompletedTask;
    }

    public override Task HealAsync(FaultWorld world)
    {
        Gate.Open();
        return Task.CompletedTask;
    }
}
