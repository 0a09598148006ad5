namespace SessionActors;

/// <summary>Redis is gone from one moment to the next, and starts again with its append-only file.</summary>
internal sealed class RedisKillFault(TimeSpan lasts) : Fault
{
    public const string Name = "Redis kill -9";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        world.Redis.Kill();
        return Task.CompletedTask;
    }

    public override Task HealAsync(FaultWorld world) => world.Redis.RestartAsync();
}

/// <summary>Redis stands still: connections stay open, nothing is answered.</summary>
internal sealed class RedisPauseFault(TimeSpan lasts) : Fault
{
    public const string Name = "Redis pause";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world) => world.Redis.PauseAsync();

    public override Task HealAsync(FaultWorld world) => world.Redis.ResumeAsync();
}

/// <summary>
/// Redis fails over to a replica that has certainly not got all: it is cut off while writes go on, and made the primary then. What was done
/// in between is lost.
/// </summary>
internal sealed class LossyFailoverFault(TimeSpan lasts) : Fault
{
    public const string Name = "lossy failover";

    private static readonly TimeSpan Down = TimeSpan.FromMilliseconds(500);

    private readonly List<Action<TimeSpan>> _ends = [];

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override async Task StrikeAsync(FaultWorld world)
    {
        await world.Redis.AddReplicaAsync();
        var now = world.Clock.Now;
        _ends.Add(world.Rollbacks.Begin(now));
        if (!world.HealsFailover || !IsAlone)
        {
            _ends.Add(world.Losses.Begin(now));
        }

        await world.Redis.CutReplicaAsync();
    }

    public override async Task HealAsync(FaultWorld world)
    {
        Array.ForEach(world.Servers, server => server.Redis.Cut());
        await world.Redis.FailOverAsync();
        await Clock.PassAsync(Down);
        _ends.ForEach(end => end(world.Clock.Now));
        Array.ForEach(world.Servers, server => server.Redis.Mend());
    }
}

/// <summary>Redis forgets the scripts that it was given.</summary>
internal sealed class ScriptFlushFault : Fault
{
    public const string Name = "SCRIPT FLUSH";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => TimeSpan.Zero;

    public override Task StrikeAsync(FaultWorld world) => world.Redis.SendAsync("SCRIPT FLUSH SYNC");

    public override Task HealAsync(FaultWorld world) => Task.CompletedTask;
}

/// <summary>Redis has no memory left: it refuses what would need some.</summary>
internal sealed class RedisFullFault(TimeSpan lasts) : Fault
{
    public const string Name = "Redis full";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world) => world.Redis.SendAsync("CONFIG SET maxmemory 1mb");

    public override Task HealAsync(FaultWorld world) => world.Redis.SendAsync("CONFIG SET maxmemory 0");
}

/// <summary>All connections to Redis are killed, again and again.</summary>
internal sealed class ConnectionStormFault(TimeSpan lasts) : Fault
{
    public const string Name = "connection storm";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    private readonly CancellationTokenSource _enough = new();
    private Task _storm = Task.CompletedTask;

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        _storm = KillAsync(world);
        return Task.CompletedTask;
    }

    public override async Task HealAsync(FaultWorld world)
    {
        await _enough.CancelAsync();
        await _storm;
        _enough.Dispose();
    }

    private async Task KillAsync(FaultWorld world)
    {
        while (!_enough.IsCancellationRequested)
        {
            await world.Redis.SendAsync("CLIENT KILL TYPE normal");
            await Clock.PassAsync(Pause);
        }
    }
}
