using System.Diagnostics;

namespace SessionActors;

/// <summary>A server has one processor, and somebody else has it nearly all.</summary>
internal sealed class StarvationFault(AppServer server, TimeSpan lasts) : Fault
{
    public const string Name = "CPU starvation";

    private Process? _greedy;
    private int _process;

    public override string Kind => Name;

    public override AppServer Server => server;

    public override TimeSpan Lasts => lasts;

    public override async Task StrikeAsync(FaultWorld world)
    {
        _process = server.ProcessId;
        await PinAsync("0");
        // Without the right to a higher priority it still gets half.
        _greedy = Process.Start(new ProcessStartInfo("nice", ["-n", "-15", "taskset", "-c", "0", "sh", "-c", "while :; do :; done"])
        {
            RedirectStandardError = true,
        });
    }

    public override async Task HealAsync(FaultWorld world)
    {
        _greedy!.Kill(entireProcessTree: true);
        await _greedy.WaitForExitAsync();
        _greedy.Dispose();
        await PinAsync($"0-{Environment.ProcessorCount - 1}");
    }

    private async Task PinAsync(string processors)
    {
        using var taskset = Process.Start(new ProcessStartInfo("taskset", ["-a", "-c", "-p", processors, $"{_process}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await taskset.StandardOutput.ReadToEndAsync();
        await taskset.WaitForExitAsync();
    }
}

/// <summary>All servers but one are stopped in good order, then all there can be are started, and the number is brought back.</summary>
internal sealed class ScalingFault(TimeSpan lasts) : Fault
{
    public const string Name = "scaling to 1, to all, and back";

    private AppServer[] _before = [];

    public override string Kind => Name;

    // Nothing else is done to servers meanwhile.
    public override bool StrikesAllServers => true;

    public override TimeSpan Lasts => lasts;

    public override async Task StrikeAsync(FaultWorld world)
    {
        _before = [.. world.Servers.Where(server => server.IsRunning)];
        foreach (var server in _before[1..])
        {
            world.HoldDown(server);
            await server.StopAsync();
        }

        foreach (var server in world.Servers)
        {
            await world.BringUpAsync(server);
        }
    }

    public override async Task HealAsync(FaultWorld world)
    {
        foreach (var server in world.Servers.Except(_before))
        {
            world.HoldDown(server);
            await server.StopAsync();
        }
    }
}
