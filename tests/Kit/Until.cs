namespace SessionActors;

/// <summary>Waits for an event, and fails with the event's name when it does not come.</summary>
public static class Until
{
    // Far longer than anything takes on a busy machine: only what hangs reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task Async(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s in vain: {what}.");
        }
    }

    public static async Task<T> Async<T>(Task<T> task, string what)
    {
        await Async((Task)task, what);
        return await task;
    }

    /// <summary>Looks again and again until it is so.</summary>
    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="TrueAsync(Func{bool}, string)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"Waited {Patience.TotalSeconds} s in vain: {what}.");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
