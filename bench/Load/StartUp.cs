namespace SessionActors.LoadBench;

/// <summary>How long the shop takes from its start to its first page, and its memory then, against a server without anything.</summary>
internal static class StartUp
{
    private const int Starts = 5;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    public static async Task<IEnumerable<string>> MeasureAsync()
    {
        var bare = new List<(double Seconds, double Megabytes)>();
        var cart = new List<(double Seconds, double Megabytes)>();
        for (var i = 0; i < Starts; i++)
        {
            bare.Add(await StartAsync(typeof(BenchServer).Assembly.GetName().Name!, "server", $"{ServerKind.Bare}"));
            cart.Add(await StartAsync("SessionActors.Cart"));
        }

        var (bareSeconds, cartSeconds) = (Machine.Median(bare.Select(s => s.Seconds)), Machine.Median(cart.Select(s => s.Seconds)));
        var (bareMemory, cartMemory) = (Machine.Median(bare.Select(s => s.Megabytes)), Machine.Median(cart.Select(s => s.Megabytes)));
        return
        [
            "",
            "| samples/Cart, embedded store | bare host | Cart |",
            "| --- | --- | --- |",
            $"| start of the process to the first answer | {bareSeconds:0.00} s | × {cartSeconds / bareSeconds:0.0} |",
            $"| idle memory (resident) | {bareMemory:0} MB | × {cartMemory / bareMemory:0.0} |",
        ];
    }

    private static async Task<(double Seconds, double Megabytes)> StartAsync(string assembly, params string[] arguments)
    {
        using var server = await ServerProcess.StartAsync(assembly, arguments);
        await Task.Delay(Settling, TimeProvider.System);
        return (server.StartTime.TotalSeconds, server.ResidentBytes / 1e6);
    }
}
