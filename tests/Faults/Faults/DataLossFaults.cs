namespace SessionActors;

/// <summary>Somebody empties Redis.</summary>
internal sealed class FlushAllFault : Fault
{
    public const string Name = "FLUSHALL";

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => TimeSpan.Zero;

    public override async Task StrikeAsync(FaultWorld world)
    {
        // All that was ever done is lost.
        var (forgotten, lost) = (world.Rollbacks.Begin(TimeSpan.Zero), world.Losses.Begin(TimeSpan.Zero));
        await world.Redis.SendAsync("FLUSHALL");
        forgotten(world.Clock.Now);
        lost(world.Clock.Now);
    }

    public override Task HealAsync(FaultWorld world) => Task.CompletedTask;
}

/// <summary>Redis dies, and the end of its append-only file with it: what was written last is lost.</summary>
internal sealed class AofTailFault(Seeded random, TimeSpan lasts) : Fault
{
    public const string Name = "AOF tail cut";

    private readonly List<Action<TimeSpan>> _ends = [];
    private string _file = "";
    private long _safe;

    public override string Kind => Name;

    public override bool StrikesRedis => true;

    public override TimeSpan Lasts => lasts;

    public override async Task StrikeAsync(FaultWorld world)
    {
        var now = world.Clock.Now;
        _ends.AddRange([world.Rollbacks.Begin(now), world.Losses.Begin(now)]);
        (_file, _safe) = await world.Redis.AppendOnlyFileAsync();
    }

    public override async Task HealAsync(FaultWorld world)
    {
        Array.ForEach(world.Servers, server => server.Redis.Cut());
        world.Redis.Kill();
        using (var file = new FileStream(_file, FileMode.Open))
        {
            // Anywhere, be it in the middle of a command.
            file.SetLength(_safe + (long)(random.Next() % (ulong)(file.Length - _safe + 1)));
        }

        await world.Redis.RestartAsync();
        _ends.ForEach(end => end(world.Clock.Now));
        Array.ForEach(world.Servers, server => server.Redis.Mend());
    }
}
