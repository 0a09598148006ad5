namespace SessionActors.LoadBench;

/// <summary>
/// What one run of load has shown: requests per second; per request the processor time (application and Redis) and the allocated bytes; the
/// time that the JIT compiler was busy, as a share of all time; and latencies. Null is what the server cannot tell.
/// </summary>
internal readonly record struct Load(
    double PerSecond, double Microseconds, double? AllocatedBytes, double? Compiling, TimeSpan Median, TimeSpan Percentile99)
{
    /// <summary>Measures load of several generators at the same time, on one server or more over one Redis or more.</summary>
    public static async Task<Load> MeasureAsync(ServerProcess[] servers, RedisProcess[] stores, Func<Task<WrkResult[]>> run)
    {
        var effort = await EffortAsync();
        var processor = ProcessorTime();
        var results = await run();
        processor = ProcessorTime() - processor;
        var later = await EffortAsync();
        var requests = results.Sum(result => result.Requests);
        return new Load(
            results.Sum(result => result.PerSecond),
            processor.TotalMicroseconds / requests,
            (later?.AllocatedBytes - effort?.AllocatedBytes) / requests,
            (later?.Compiling - effort?.Compiling)?.TotalMicroseconds / servers.Length / results.Max(result => result.Microseconds),
            results.Max(result => result.Median),
            results.Max(result => result.Percentile99));

        // Of one that cannot tell nothing is known of all.
        async Task<Effort?> EffortAsync() =>
            (await Task.WhenAll(servers.Select(server => server.EffortAsync()))).Aggregate((one, other) => one + other);

        TimeSpan ProcessorTime() => servers.Select(server => server.ProcessorTime).Concat(stores.Select(store => store.ProcessorTime))
            .Aggregate((one, other) => one + other);
    }
}
