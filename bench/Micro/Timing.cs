using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using BenchmarkDotNet.Validators;
using Perfolizer.Horology;

namespace SessionActors.MicroBench;

/// <summary>How long one operation took on average, and how many bytes were allocated for it, by all threads.</summary>
internal sealed record Figure(string Name, double Nanoseconds, long Bytes);

/// <summary>Runs benchmarks with BenchmarkDotNet, which says on standard error what it does.</summary>
internal static class Timing
{
    /// <exception cref="InvalidOperationException">A benchmark failed, or this is not compiled in Release.</exception>
    public static IReadOnlyList<Figure> Run<T>()
    {
        using var log = new StreamWriter(Console.OpenStandardError()) { AutoFlush = true };
        var config = ManualConfig.CreateEmpty()
            // In this process: otherwise BenchmarkDotNet writes a project of its own below this one and builds it first.
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
                .WithWarmupCount(5).WithIterationCount(20).WithIterationTime(TimeInterval.FromMilliseconds(100)))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddValidator(JitOptimizationsValidator.FailOnError)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(new StreamLogger(log));
        var summary = BenchmarkRunner.Run<T>(config);
        return summary is { HasCriticalValidationErrors: false, Reports: [_, ..] reports } && reports.All(report => report.Success)
            ? [.. reports.Select(Read)]
            : throw new InvalidOperationException($"{typeof(T).Name} did not run to its end; the reason is above.");
    }

    private static Figure Read(BenchmarkReport report)
    {
        var benchmark = report.BenchmarkCase;
        return new Figure(
            benchmark.Parameters.Items is [{ Value: string operation }]
                ? operation : benchmark.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            report.ResultStatistics!.Mean,
            report.GcStats.GetBytesAllocatedPerOperation(benchmark) ?? 0);
    }
}
