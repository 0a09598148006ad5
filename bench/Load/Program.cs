using SessionActors.LoadBench;

// "server KIND ..." and "silo ..." are what the bench starts itself as; everything else is an option of the bench.
if (args is ["server", var kind, .. var ofServer])
{
    await BenchServer.RunAsync(Enum.Parse<ServerKind>(kind), ofServer);
    return;
}

if (args is ["silo", .. var ofSilo])
{
    await BenchServer.RunSiloAsync(ofSilo);
    return;
}

var options = new ConfigurationBuilder().AddCommandLine(args).Build();
var seconds = options.GetValue("seconds", 2);
var rounds = options.GetValue("rounds", 3);
var parts = (options["parts"] ?? string.Join(',', Parts.All)).Split(',');

List<string> report = [.. Machine.Describe(seconds, Parts.Shorter(seconds), rounds)];
foreach (var part in parts.OrderBy(part => Array.IndexOf(Parts.All, part)))
{
    report.AddRange(await Parts.MeasureAsync(part, options["express"], seconds, rounds));
}

Console.WriteLine(string.Join('\n', report));
if (options["write"] is { } page)
{
    Machine.Replace(page, report);
}
