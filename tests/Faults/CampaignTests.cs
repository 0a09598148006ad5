namespace SessionActors;

/// <summary>
/// The campaign: the short one, which ends when it has done as much as it must; or a long one, with <c>SESSIONACTORS_FAULT_MINUTES</c>.
/// Its report is in <c>fault-report.md</c> beside the test's assembly. <c>tests/Faults/nightly</c> asks for it by name: until it has gone
/// through, it belongs to no build.
/// </summary>
public sealed class CampaignTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task No_promise_breaks_under_faults()
    {
        var settings = CampaignSettings.FromEnvironment();
        var report = await RunAsync(settings, "fault-report.md");
        if (settings.Duration is null)
        {
            AssertEnough(report, settings);
        }
    }

    [Fact(Explicit = true)]
    public async Task No_promise_breaks_between_two_clusters()
    {
        var settings = CampaignSettings.FromEnvironment() with { Clusters = 2, Servers = 2, Operations = 3_000, LostReplies = 20 };
        settings = settings with { Duration = settings.Duration / 4 };
        var report = await RunAsync(settings, "fault-report-two-clusters.md");
        Assert.InRange(report.Operations, settings.Operations, long.MaxValue);
        Assert.InRange(report.FaultsOf(KillFault.Name), 1, int.MaxValue);
    }

    private static async Task<CampaignReport> RunAsync(CampaignSettings settings, string file)
    {
        Console.Error.WriteLine($"Fault campaign: {settings.Command}");
        File.Delete(Path.Combine(AppContext.BaseDirectory, file));
        CampaignReport report;
        await using (var campaign = await Campaign.StartAsync(settings))
        {
            report = await campaign.RunAsync();
        }

        var markdown = report.ToMarkdown();
        Console.Error.WriteLine(markdown);
        await File.WriteAllTextAsync(Path.Combine(AppContext.BaseDirectory, file), markdown, Stop);
        await File.WriteAllLinesAsync(
            Path.Combine(AppContext.BaseDirectory, Path.ChangeExtension(file, ".notes.txt")),
            [.. report.Broken.Select(broken => $"{broken.Check}: {broken.What}"), .. report.Notes],
            Stop);
        Assert.True(
            report.Broken.Count == 0,
            $"Again: {settings.Command}\n{string.Join('\n', report.Broken.Take(20).Select(broken => $"{broken.Check}: {broken.What}"))}");
        return report;
    }

    private static void AssertEnough(CampaignReport report, CampaignSettings settings)
    {
        Assert.InRange(report.Operations, settings.Operations, long.MaxValue);
        Assert.InRange(report.LostReplies, settings.LostReplies, long.MaxValue);
        Assert.InRange(report.FaultsOf(KillFault.Name), 12, int.MaxValue);
        Assert.InRange(report.FaultsOf(StopFault.Name), 6, int.MaxValue);
        Assert.InRange(report.FaultsOf(PauseFault.Name), 6, int.MaxValue);
        Assert.InRange(report.FaultsOf(CutFault.Name), 6, int.MaxValue);
        Assert.InRange(report.FaultsOf(RedisKillFault.Name), 4, int.MaxValue);
        Assert.InRange(report.FaultsOf(LossyFailoverFault.Name), 2, int.MaxValue);
    }
}
