using BenchmarkDotNet.Attributes;

namespace SessionActors.MicroBench;

/// <summary>Times each <see cref="PureOperation"/>.</summary>
public class PureBenchmarks
{
    private Func<object?> _run = null!;

    public static IEnumerable<string> Operations => PureOperation.All.Select(operation => operation.Name);

    [ParamsSource(nameof(Operations))]
    public string Operation { get; set; } = "";

    [GlobalSetup]
    public void Choose() => _run = PureOperation.All.Single(operation => operation.Name == Operation).Run;

    [Benchmark]
    public object? Run() => _run();
}
