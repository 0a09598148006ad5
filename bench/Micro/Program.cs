using System.Diagnostics;
using SessionActors.MicroBench;

const string CompileAgain = "DOTNET_TC_CallCounting";

string[] known = ["pure", "grains", "redis"];
var parts = args switch
{
    [] => known,
    ["--parts", var some] => some.Split(','),
    ["--write"] => [],
    _ => null,
};
if (parts is null || parts.Except(known).Any())
{
    await Console.Error.WriteLineAsync($"Options: --write, or --parts {string.Join(',', known)}");
    return 2;
}

if (parts.Length == 0)
{
    // What is called often is compiled again, and then may allocate less. When that happens is chance; here it never does, so that the
    // figures are the most that a test can measure.
    if (Environment.GetEnvironmentVariable(CompileAgain) is null)
    {
        using var again = Process.Start(
            new ProcessStartInfo("dotnet", [typeof(Allocations).Assembly.Location, .. args]) { Environment = { [CompileAgain] = "0" } })!;
        await again.WaitForExitAsync();
        return again.ExitCode;
    }

    var file = Path.Combine(Root(), Allocations.WrittenIn);
    await File.WriteAllTextAsync(file, Allocations.Format(PureOperation.All));
    Console.WriteLine($"{file} is written anew.");
    return 0;
}

// BenchmarkDotNet and Orleans' test host write logs into the folder that they are run in.
Environment.CurrentDirectory = AppContext.BaseDirectory;
List<string> report = [];
if (parts.Contains("pure"))
{
    report.AddRange(Report.OfPure(Timing.Run<PureBenchmarks>()));
}

List<Figure> inSilo =
[
    .. parts.Contains("grains") ? Timing.Run<GrainBenchmarks>() : [],
    .. parts.Contains("redis") ? Timing.Run<RedisBenchmarks>() : [],
];
if (inSilo.Count > 0)
{
    report.AddRange(Report.Table("one silo, a session of 20", inSilo));
}

Console.WriteLine(string.Join('\n', report));
return 0;

static string Root()
{
    var folder = new DirectoryInfo(AppContext.BaseDirectory);
    while (!File.Exists(Path.Combine(folder.FullName, "SessionActors.sln")))
    {
        folder = folder.Parent ?? throw new InvalidOperationException($"No repository is above {AppContext.BaseDirectory}.");
    }

    return folder.FullName;
}
