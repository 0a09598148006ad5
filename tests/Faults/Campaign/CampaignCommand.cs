using System.Runtime.InteropServices;

namespace SessionActors;

/// <summary>
/// Runs the campaigns: the short ones, which end when they have done as much as they must; or long ones, with
/// <c>SESSIONACTORS_FAULT_MINUTES</c>. Reports are printed as markdown, and what was found beside them.
/// </summary>
internal static class CampaignCommand
{
    // Of what the long campaign takes, each of the others takes so much more.
    private const int QuarterOfTime = 4;

    /// <summary>0 where no promise was broken and enough was done; else 1.</summary>
    /// <param name="names">
    /// Which one: of 1 cluster or 2, write-behind, or with Orleans' distributed directory; none for all but the last, one after the other.
    /// </param>
    public static async Task<int> RunAsync(string[] names)
    {
        var settings = CampaignSettings.FromEnvironment();
        var shorter = settings.Duration / QuarterOfTime;
        List<string> wrong = names switch
        {
            [] =>
            [
                .. await RunAsync(settings),
                .. await RunAsync(Behind(settings, shorter)),
                .. await RunAsync(BetweenTwo(settings, shorter)),
            ],
            ["1"] => [.. await RunAsync(settings)],
            ["2"] => [.. await RunAsync(BetweenTwo(settings, settings.Duration))],
            ["behind"] => [.. await RunAsync(Behind(settings, settings.Duration))],
            ["directory"] => [.. await RunAsync(settings with { HasDistributedDirectory = true })],
            _ =>
            [
                "campaign takes 1 or 2, for so many clusters, behind, for write-behind, or directory, for Orleans' distributed one; "
                    + "or nothing for all but the last.",
            ],
        };
        wrong.ForEach(Console.Error.WriteLine);
        return wrong.Count == 0 ? 0 : 1;
    }

    private static CampaignSettings Behind(CampaignSettings settings, TimeSpan? duration) =>
        settings with { IsWriteBehind = true, Operations = 20_000, LostReplies = 20, Duration = duration };

    private static CampaignSettings BetweenTwo(CampaignSettings settings, TimeSpan? duration) =>
        settings with { Clusters = 2, Servers = 2, Operations = 3_000, LostReplies = 20, Duration = duration };

    private static async Task<IEnumerable<string>> RunAsync(CampaignSettings settings)
    {
        await Console.Error.WriteLineAsync($"Fault campaign: {settings.Command}");
        var ended = new TaskCompletionSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        await using var campaign = await Campaign.StartAsync(settings);
        var running = campaign.RunAsync();
        if (await Task.WhenAny(running, ended.Task) == ended.Task)
        {
            // Its servers and networks go with it.
            return ["The campaign was ended by a signal."];
        }

        var report = await running;
        Console.WriteLine(report.ToMarkdown());
        foreach (var note in report.Notes)
        {
            await Console.Error.WriteLineAsync(note);
        }

        return report.Wrong;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ended.TrySetResult();
        }
    }
}
