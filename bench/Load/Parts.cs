namespace SessionActors.LoadBench;

/// <summary>What the bench can measure, in the order in which it is reported.</summary>
internal static class Parts
{
    public static readonly string[] All = ["start", "counts", "hot", "turns", "guard", "load", "sizes", "many", "million", "spread"];

    /// <summary>Runs of all parts but <c>load</c> are half as long: they are many, and the whole is to end while somebody waits.</summary>
    public static int Shorter(int seconds) => Math.Max(1, seconds / 2);

    /// <param name="part">One of <see cref="All"/>.</param>
    /// <param name="express">The script of <see cref="ServerKind.Express"/>; null where it cannot run.</param>
    /// <param name="seconds">How long a run of <c>load</c> is.</param>
    /// <param name="rounds">How often all are measured.</param>
    public static async Task<IEnumerable<string>> MeasureAsync(string part, string? express, int seconds, int rounds)
    {
        var shorter = Shorter(seconds);
        // Of its own: a part leaves sessions behind, and silos that are gone.
        await using var redis = await RedisProcess.StartAsync();
        return part switch
        {
            "start" => await StartUp.MeasureAsync(),
            "counts" => await Counts.MeasureAsync(redis),
            "hot" => await Hot.MeasureAsync(redis, shorter, rounds),
            "turns" => await Turns.MeasureAsync(redis, shorter, rounds),
            "guard" => await GuardCost.MeasureAsync(redis, shorter, rounds),
            "load" => await LoadRounds.MeasureAsync(redis, express, seconds, rounds),
            "sizes" => await Sizes.MeasureAsync(redis, shorter, rounds),
            "many" => await Many.MeasureAsync(redis, shorter, rounds),
            "million" => await Million.MeasureAsync(redis, shorter, rounds),
            "spread" => await Spread.MeasureAsync(redis, shorter, rounds),
            _ => throw new ArgumentException($"There is no part {part}, only {string.Join(", ", All)}.", nameof(part)),
        };
    }
}
