namespace SessionActors.LoadBench;

/// <summary>
/// What one run of load has shown: requests per second; per request the processor time (application and Redis) and the allocated bytes; the
/// time that the JIT compiler was busy, as a share of all time; and latencies. Null is what the server cannot tell.
/// </summary>
internal readonly record struct Load(
    double PerSecond, double Microseconds, double? AllocatedBytes, double? Compiling, TimeSpan Median, TimeSpan Percentile99)
{
    public static async Task<Load> MeasureAsync(ServerProcess server, RedisProcess redis, Func<Task<WrkResult>> run)
    {
        var effort = await server.EffortAsync();
        var processor = server.ProcessorTime + redis.ProcessorTime;
        var result = await run();
        processor = server.ProcessorTime + redis.ProcessorTime - processor;
        var later = await server.EffortAsync();
        return new Load(
            result.PerSecond,
            processor.TotalMicroseconds / result.Requests,
            (later?.AllocatedBytes - effort?.AllocatedBytes) / result.Requests,
            (later?.Compiling - effort?.Compiling)?.TotalMicroseconds / result.Microseconds,
            result.Median,
            result.Percentile99);
    }
}
