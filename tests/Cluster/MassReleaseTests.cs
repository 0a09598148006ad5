namespace SessionActors;

/// <summary>A silo that lets many sessions go at once.</summary>
public sealed class MassReleaseTests
{
    private const int Sessions = 4096 + 64;

    [Fact]
    public async Task Sessions_are_given_back_in_portions_that_the_store_answers_in_time_and_all_are()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => cluster.NewSessionAsync()));
        var (open, underWay, most) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0, 0);
        cluster.Storage.OnStep = async (step, run) =>
        {
            if (step == "release")
            {
                var now = Interlocked.Increment(ref underWay);
                InterlockedMax(ref most, now);
                await open.Task;
                Interlocked.Decrement(ref underWay);
            }

            return await run();
        };

        var leaving = Task.WhenAll(sessions.Select(cluster.DeactivateAsync));
        await Until.TrueAsync(() => Volatile.Read(ref underWay) == 4096, "as many are given back as may be at once");
        open.SetResult();
        await leaving;

        Assert.Equal(Sessions, cluster.Storage.Count("release"));
        Assert.Equal(4096, most);
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = Volatile.Read(ref most); now > seen;)
        {
            var other = Interlocked.CompareExchange(ref most, now, seen);
            seen = other == seen ? now : other;
        }
    }
}
