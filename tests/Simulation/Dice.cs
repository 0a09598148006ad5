namespace SessionActors;

/// <summary>All that is left to chance in a run, drawn from its seed (SplitMix64).</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 to one less than the limit.</summary>
    public int Below(int limit) => (int)(Next() % (ulong)limit);

    public bool Chance(int percent) => Below(100) < percent;

    public T Of<T>(params IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>Some milliseconds, in steps of tenths.</summary>
    public TimeSpan Between(int fromMs, int toMs) => TimeSpan.FromMicroseconds(100 * (10 * fromMs + Below(10 * (toMs - fromMs) + 1)));
}
