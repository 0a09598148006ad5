using System.Globalization;

namespace SessionActors.MicroBench;

/// <summary>
/// How many bytes operations allocate: as it is measured, and as it is written down. The file has a line for each, the name and then, after
/// white space, the bytes that it allocates once; lines that begin with # are remarks.
/// </summary>
internal static class Allocations
{
    /// <summary>The file, from the root of the repository.</summary>
    public const string WrittenIn = "bench/Micro/allocations.txt";

    /// <summary>What writes the file anew.</summary>
    public const string Rewrite = "dotnet run -c Release --project bench/Micro -- --write";

    // Each property of the largest session has as many turns as any other.
    private const int Runs = 1000;
    private const int Rounds = 3;

    /// <summary>
    /// The bytes that an operation allocates on average, once it has run before. What other threads allocate is not among them, and a build
    /// for debugging allocates the same.
    /// </summary>
    public static long Measure(PureOperation operation)
    {
        RunAll(operation);
        // What comes only once, such as the runtime's own, is in one round at most.
        var least = Enumerable.Range(0, Rounds).Min(_ => RunAll(operation));
        return (long)Math.Round((double)least / Runs);
    }

    /// <summary>What the file says, by the names of the operations.</summary>
    public static IReadOnlyDictionary<string, long> Parse(string text) => text.Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => (line, end: line.LastIndexOf(' ')))
        .ToDictionary(
            entry => entry.line[..entry.end].TrimEnd(), entry => long.Parse(entry.line[entry.end..], CultureInfo.InvariantCulture));

    /// <summary>The file as it is to be, measured now.</summary>
    public static string Format(IReadOnlyList<PureOperation> operations)
    {
        var width = operations.Max(operation => operation.Name.Length);
        var lines = operations.Select(operation => string.Create(
            CultureInfo.InvariantCulture, $"{operation.Name.PadRight(width)}  {Measure(operation),6}\n"));
        return "# Bytes that an operation allocates; in brackets, how many properties the session has. A test fails where it is more.\n"
            + $"# Written by {Rewrite}\n{string.Concat(lines)}";
    }

    private static long RunAll(PureOperation operation)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var run = 0; run < Runs; run++)
        {
            operation.Run();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
