using SessionActors.LoadBench;

// "server KIND ..." is what the bench starts itself as; everything else is an option of the bench.
if (args is ["server", var kind, .. var settings])
{
    await BenchServer.RunAsync(Enum.Parse<ServerKind>(kind), settings);
    return;
}

var options = new ConfigurationBuilder().AddCommandLine(args).Build();
var seconds = options.GetValue("seconds", 2);
var rounds = options.GetValue("rounds", 3);
var parts = (options["parts"] ?? "load,turns,guard,counts,start").Split(',');

List<string> report = [.. Machine.Describe(seconds, rounds)];
if (parts.Contains("start"))
{
    report.AddRange(await StartUp.MeasureAsync());
}

await using (var redis = await RedisProcess.StartAsync())
{
    if (parts.Contains("counts"))
    {
        report.AddRange(await Counts.MeasureAsync(redis));
    }

    if (parts.Contains("turns"))
    {
        report.AddRange(await Turns.MeasureAsync(redis, seconds, rounds));
    }

    if (parts.Contains("guard"))
    {
        report.AddRange(await GuardCost.MeasureAsync(redis, seconds, rounds));
    }

    if (parts.Contains("load"))
    {
        report.AddRange(await LoadRounds.MeasureAsync(redis, seconds, rounds));
    }
}

Console.WriteLine(string.Join('\n', report));
if (options["write"] is { } page)
{
    Machine.Replace(page, report);
}
