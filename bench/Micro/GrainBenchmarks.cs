using BenchmarkDotNet.Attributes;

namespace SessionActors.MicroBench;

/// <summary>
/// A session in a silo of this process, called as a web server calls it that runs beside the silo. The store is the tests' model, which
/// is a dictionary; its allocations, and those of the tests' counting of calls, are in the figures.
/// </summary>
public class GrainBenchmarks
{
    private SessionInSilo _session = null!;

    [GlobalSetup]
    public async Task StartAsync() => _session = await SessionInSilo.StartAsync(new ModelSessionStorage(TimeProvider.System));

    [GlobalCleanup]
    public async Task StopAsync() => await _session.DisposeAsync();

    [Benchmark(Description = "open in this process's memory")]
    public object OpenInMemory() => _session.OpenInMemory();

    [Benchmark(Description = "open through the grain")]
    public ValueTask<SessionOpening> OpenAsync() => _session.OpenAsync();

    [Benchmark(Description = "commit through the grain, store in memory")]
    public Task<long> CommitAsync() => _session.CommitAsync();
}
