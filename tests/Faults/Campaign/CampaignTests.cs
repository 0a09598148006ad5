namespace SessionActors;

/// <summary>The short campaign against one cluster, in every build. <see cref="CampaignCommand"/> runs the others.</summary>
public sealed class CampaignTests
{
    // The same each time: what a build finds that the one before did not, is the change's or the machine's.
    private const ulong Seed = 60;

    [Fact]
    public async Task A_short_campaign_finds_no_broken_promise()
    {
        var settings = new CampaignSettings { Seed = Seed };
        await using var campaign = await Campaign.StartAsync(settings);

        var report = await campaign.RunAsync();

        TestContext.Current.TestOutputHelper?.WriteLine(report.ToMarkdown());
        var wrong = report.Wrong.ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }
}
