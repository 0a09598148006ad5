namespace SessionActors;

/// <summary>
/// Runs the campaigns: the short ones, which end when they have done as much as they must; or long ones, with
/// <c>SESSIONACTORS_FAULT_MINUTES</c>. Reports are printed as markdown, and what was found beside them.
/// </summary>
internal static class CampaignCommand
{
    // Of what the long campaign takes, the one between two clusters takes so much more.
    private const int QuarterOfTime = 4;

    /// <summary>0 where no promise was broken and enough was done; else 1.</summary>
    /// <param name="clusters">Of how many clusters: 1, 2, or none for both, one after the other.</param>
    public static async Task<int> RunAsync(string[] clusters)
    {
        var settings = CampaignSettings.FromEnvironment();
        List<string> wrong = clusters switch
        {
            [] => [.. await RunAsync(settings), .. await RunAsync(BetweenTwo(settings, settings.Duration / QuarterOfTime))],
            ["1"] => [.. await RunAsync(settings)],
            ["2"] => [.. await RunAsync(BetweenTwo(settings, settings.Duration))],
            _ => ["campaign takes the number of clusters: 1, 2, or nothing for both."],
        };
        wrong.ForEach(Console.Error.WriteLine);
        return wrong.Count == 0 ? 0 : 1;
    }

    private static CampaignSettings BetweenTwo(CampaignSettings settings, TimeSpan? duration) =>
        settings with { Clusters = 2, Servers = 2, Operations = 3_000, LostReplies = 20, Duration = duration };

    private static async Task<IEnumerable<string>> RunAsync(CampaignSettings settings)
    {
        await Console.Error.WriteLineAsync($"Fault campaign: {settings.Command}");
        await using var campaign = await Campaign.StartAsync(settings);
        var report = await campaign.RunAsync();
        Console.WriteLine(report.ToMarkdown());
        foreach (var note in report.Notes)
        {
            await Console.Error.WriteLineAsync(note);
        }

        return report.Broken.Select(broken => $"BROKEN {broken.Check}: {broken.What}").Concat(report.Missing);
    }
}
