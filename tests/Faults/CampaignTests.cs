namespace SessionActors;

/// <summary>
/// The campaign: the short one, which ends when it has done as much as it must; or, with <c>SESSIONACTORS_FAULT_MINUTES</c> set, a long one.
/// Its report is in <c>fault-report.md</c> beside the test's assembly.
/// </summary>
public sealed class CampaignTests
{
    [Fact]
    public async Task No_promise_breaks_under_faults()
    {
        var settings = CampaignSettings.FromEnvironment();
        Console.Error.WriteLine($"Fault campaign: {settings.Command}");
        CampaignReport report;
        await using (var campaign = await Campaign.StartAsync(settings))
        {
            report = await campaign.RunAsync();
        }

        var markdown = report.ToMarkdown();
        Console.Error.WriteLine(markdown);
        await File.WriteAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "fault-report.md"), markdown, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(
            Path.Combine(AppContext.BaseDirectory, "fault-notes.txt"),
            [.. report.Broken.Select(broken => $"{broken.Check}: {broken.What}"), .. report.Notes], TestContext.Current.CancellationToken);
        Assert.True(
            report.Broken.Count == 0,
            $"Again: {settings.Command}\n{string.Join('\n', report.Broken.Take(20).Select(broken => $"{broken.Check}: {broken.What}"))}");
        if (settings.Duration is null)
        {
            AssertEnough(report);
        }
    }

    private static void AssertEnough(CampaignReport report)
    {
        Assert.InRange(report.Operations, 200_000, long.MaxValue);
        Assert.InRange(report.LostReplies, 200, long.MaxValue);
        Assert.InRange(report.FaultsOf(KillFault.Name), 12, int.MaxValue);
        Assert.InRange(report.FaultsOf(StopFault.Name), 6, int.MaxValue);
        Assert.InRange(report.FaultsOf(PauseFault.Name), 6, int.MaxValue);
        Assert.InRange(report.FaultsOf(RedisKillFault.Name), 4, int.MaxValue);
        Assert.InRange(report.FaultsOf(LossyFailoverFault.Name), 2, int.MaxValue);
        Assert.InRange(report.FaultsOf(CutFault.Name), 6, int.MaxValue);
    }
}
