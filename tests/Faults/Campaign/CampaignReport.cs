using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>What a campaign did and found.</summary>
internal sealed record CampaignReport
{
    private static readonly int[] Percentiles = [50, 95, 99, 100];

    public required CampaignSettings Settings { get; init; }

    public required TimeSpan Took { get; init; }

    public required (long Done, long Refused, long Unknown) Counts { get; init; }

    public required Dictionary<string, long> Failures { get; init; }

    public required Dictionary<string, int> Faults { get; init; }

    /// <summary>How often two faults came at once.</summary>
    public required int Pairs { get; init; }

    public required long LostReplies { get; init; }

    /// <summary>Acknowledged elements of sets that Redis lost, by a failover or worse.</summary>
    public required long Forgotten { get; init; }

    /// <summary>Servers that ended by themselves and were started again.</summary>
    public required int Deserters { get; init; }

    /// <summary>Sessions checked, by kind.</summary>
    public required Dictionary<string, int> Checked { get; init; }

    public required IReadOnlyList<TimeSpan> Recovery { get; init; }

    public required IReadOnlyList<(string Check, string What)> Broken { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What this machine cannot do; null where it can do all.</summary>
    public string? Skipped { get; init; }

    public long Operations => Counts.Done + Counts.Refused + Counts.Unknown;

    /// <summary>How often faults whose kind begins so came.</summary>
    public int FaultsOf(string kind) =>
        Faults.Where(fault => fault.Key.StartsWith(kind, StringComparison.Ordinal)).Sum(fault => fault.Value);

    /// <summary>What was found, and what was not done; nothing where all is well.</summary>
    public IEnumerable<string> Wrong => Broken.Select(broken => $"BROKEN {broken.Check}: {broken.What}").Concat(Missing);

    // What a short campaign should have done and has not; nothing of a long one, which ends by its time.
    private IEnumerable<string> Missing
    {
        get
        {
            (string What, long Did, long Least)[] counts = Settings is { Clusters: 1, IsWriteBehind: false }
                ?
                [
                    (KillFault.Name, FaultsOf(KillFault.Name), 12), (StopFault.Name, FaultsOf(StopFault.Name), 6),
                    (PauseFault.Name, FaultsOf(PauseFault.Name), 6), (CutFault.Name, FaultsOf(CutFault.Name), 6),
                    (RedisKillFault.Name, FaultsOf(RedisKillFault.Name), 4),
                    (LossyFailoverFault.Name, FaultsOf(LossyFailoverFault.Name), 2),
                ]
                : [(KillFault.Name, FaultsOf(KillFault.Name), 1)];
            counts = [.. counts, ("operations", Operations, Settings.Operations), ("lost replies", LostReplies, Settings.LostReplies)];
            return Settings.Duration is not null
                ? []
                : counts.Where(count => count.Did < count.Least)
                    .Select(count => $"MISSING {count.What}: {count.Did} of {count.Least}");
        }
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
        if (Skipped is not null)
        {
            Line($"**SKIPPED FAULTS: {Skipped}**");
            Line($"");
        }

        Line($"Campaign {Settings.Name}, seed {Settings.Seed}, {Settings.Servers} servers.");
        Line($"");
        Line($"{Took.TotalMinutes:0.0} min. Again: `{Settings.Command}`");
        Line($"");
        Line($"| what | how many |");
        Line($"| --- | --- |");
        Line($"| operations | {Operations:N0} |");
        Line($"| unknown outcomes | {100.0 * Counts.Unknown / Math.Max(Operations, 1):0.00} % |");
        Line($"| refused for certain | {100.0 * Counts.Refused / Math.Max(Operations, 1):0.00} % |");
        foreach (var (kind, count) in Faults.OrderBy(fault => fault.Key, StringComparer.Ordinal))
        {
            Line($"| {kind} | {count} |");
        }

        Line($"| two faults at once | {Pairs} |");
        Line($"| replies lost after execution | {LostReplies} |");
        Line($"| acknowledged elements lost with Redis' data, or with a killed server | {Forgotten} |");
        Line($"| servers that ended by themselves, taken for dead | {Deserters} |");
        foreach (var (kind, count) in Checked.OrderBy(check => check.Key, StringComparer.Ordinal))
        {
            Line($"| sessions checked: {kind} | {count:N0} |");
        }

        var recovery = string.Join(" / ", Percentiles.Select(Percentile));
        Line($"| recovery of a session, 50 / 95 / 99 / 100 % | {recovery} ms |");
        Line($"| **violations** | **{Broken.Count}** |");
        foreach (var (kind, count) in Failures.OrderByDescending(failure => failure.Value))
        {
            Line($"| answers: {kind} | {count:N0} |");
        }

        return text.ToString();
    }

    private string Percentile(int percent)
    {
        var sorted = Recovery.Order().ToArray();
        if (sorted.Length == 0)
        {
            return "-";
        }

        var rank = Math.Max(1, (int)Math.Ceiling(sorted.Length * percent / 100.0));
        return sorted[rank - 1].TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
    }
}
