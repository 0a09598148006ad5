namespace SessionActors;

/// <summary>
/// Tells the time of Redis for a moment of the local clock, as replies have taught it, and never later than it was: so a create never
/// looks younger than it is. A reply is younger than the time in it by its way back, which nobody knows, so all of it is counted off.
/// <para>
/// The last reply counts, not the best: Redis' clock can be set back, and another server may answer after a failover. What is off until
/// the next reply is what <see cref="ISessionStorage.TombstoneMargin"/> is for.
/// </para>
/// </summary>
internal sealed class RedisClock(TimeProvider time)
{
    private const long Untaught = long.MinValue;

    private long _zeroMs = Untaught;

    /// <summary>Whether a reply was seen.</summary>
    public bool IsTaught => Volatile.Read(ref _zeroMs) != Untaught;

    /// <summary>Learns from a reply that has just come in.</summary>
    public void Learn(long redisMs) => Volatile.Write(ref _zeroMs, redisMs - LocalMs(time.GetTimestamp()) - 1);

    /// <summary>What the clock of Redis showed, in ms, when the local clock showed <paramref name="timestamp"/>.</summary>
    public long At(long timestamp) => Volatile.Read(ref _zeroMs) + LocalMs(timestamp);

    // Rounded down; Learn makes up for it.
    private long LocalMs(long timestamp) => time.GetElapsedTime(0, timestamp).Ticks / TimeSpan.TicksPerMillisecond;
}
