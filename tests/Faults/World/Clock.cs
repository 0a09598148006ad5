namespace SessionActors;

/// <summary>The one clock of a campaign: time since it began.</summary>
internal sealed class Clock
{
    private readonly long _start = TimeProvider.System.GetTimestamp();

    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_start);

    /// <summary>Lets time pass: how long a fault lasts is what it is, and no event to wait for.</summary>
    public static Task PassAsync(TimeSpan time, CancellationToken stop = default) => Task.Delay(time, TimeProvider.System, stop);
}
