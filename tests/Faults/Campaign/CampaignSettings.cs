using System.Globalization;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>How long a campaign goes on, and with which choices.</summary>
internal sealed record CampaignSettings
{
    public const string SeedVariable = "SESSIONACTORS_FAULT_SEED";
    public const string MinutesVariable = "SESSIONACTORS_FAULT_MINUTES";
    public const string OnlyVariable = "SESSIONACTORS_FAULT_ONLY";

    /// <summary>What all choices follow from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How long; null: until the short campaign's counts are reached.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>
    /// The beginning of the one kind of fault that comes in a long campaign, or of the two that come together, with " and " between them;
    /// null: all kinds.
    /// </summary>
    public string? Only { get; init; }

    /// <summary>How many servers there are as a rule.</summary>
    public int Servers { get; init; } = 3;

    /// <summary>How many there may be besides at times.</summary>
    public int Spares => Duration is null ? 0 : 2;

    /// <summary>How many clusters they form.</summary>
    public int Clusters { get; init; } = 1;

    /// <summary>Whether changes are acknowledged before they are stored.</summary>
    public bool IsWriteBehind { get; init; }

    /// <summary>Whether Orleans looks activations up in its experimental distributed directory instead of its default one.</summary>
    public bool HasDistributedDirectory { get; init; }

    /// <summary>The least that the short campaign does before it ends.</summary>
    public long Operations { get; init; } = 200_000;

    /// <summary>How many requests are sent in a second at most.</summary>
    public int PerSecond { get; init; } = 1_200;

    /// <summary>The least number of scripts that run without their reply coming back.</summary>
    public long LostReplies { get; init; } = 200;

    /// <summary>How long a session may take to answer again after a fault's end.</summary>
    public TimeSpan RecoveryLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What the environment says; else a new seed and the short campaign.</summary>
    public static CampaignSettings FromEnvironment() => new()
    {
        Seed = Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } seed
            ? ulong.Parse(seed, CultureInfo.InvariantCulture)
            : (ulong)RandomNumberGenerator.GetInt32(int.MaxValue),
        Duration = Environment.GetEnvironmentVariable(MinutesVariable) is { Length: > 0 } minutes
            ? TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture))
            : null,
        Only = Environment.GetEnvironmentVariable(OnlyVariable) is { Length: > 0 } only ? only : null,
    };

    /// <summary>Which of the campaigns it is.</summary>
    public string Name =>
        IsWriteBehind ? "behind" : HasDistributedDirectory ? "directory" : Clusters.ToString(CultureInfo.InvariantCulture);

    /// <summary>How to run it again alone.</summary>
    public string Command
    {
        get
        {
            var minutes = Duration is { } d ? $" {MinutesVariable}={d.TotalMinutes.ToString(CultureInfo.InvariantCulture)}" : "";
            var only = Only is null ? "" : $" {OnlyVariable}='{Only}'";
            return $"{SeedVariable}={Seed}{minutes}{only} dotnet run --project tests/Faults -c Release -- campaign {Name}";
        }
    }
}
