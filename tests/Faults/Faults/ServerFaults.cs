namespace SessionActors;

/// <summary>A server is gone from one moment to the next, and is started again.</summary>
internal sealed class KillFault(AppServer server, TimeSpan lasts) : Fault
{
    public const string Name = "kill -9";

    public override string Kind => Name;

    public override AppServer Server => server;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        world.HoldDown(server);
        world.Kill(server);
        return Task.CompletedTask;
    }

    public override Task HealAsync(FaultWorld world) => world.BringUpAsync(server);
}

/// <summary>A server is stopped in good order, as for a new version, and started again.</summary>
internal sealed class StopFault(AppServer server, TimeSpan lasts) : Fault
{
    public const string Name = "orderly stop";

    private Task _stopping = Task.CompletedTask;

    public override string Kind => Name;

    public override AppServer Server => server;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        world.HoldDown(server);
        _stopping = server.StopAsync();
        return Task.CompletedTask;
    }

    public override async Task HealAsync(FaultWorld world)
    {
        try
        {
            await _stopping;
        }
        catch (TimeoutException)
        {
            world.Findings.Add("liveness", $"{this}: it does not end");
            server.Kill();
        }

        await world.BringUpAsync(server);
    }
}

/// <summary>A server stands still, as a virtual machine does that is moved.</summary>
internal sealed class PauseFault(AppServer server, TimeSpan lasts) : Fault
{
    public const string Name = "pause";

    public override string Kind => Name;

    public override AppServer Server => server;

    public override bool HidesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override Task StrikeAsync(FaultWorld world)
    {
        server.Pause();
        return Task.CompletedTask;
    }

    public override Task HealAsync(FaultWorld world)
    {
        server.Resume();
        return Task.CompletedTask;
    }
}
