namespace SessionActors;

/// <summary>The events of sessions are told whatever becomes of the process that was to tell them.</summary>
public sealed class EventTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string EventsPath => Path.Combine(_folder.Path, "events");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_killed_process_did_not_end_to_tell_the_next_one_does_and_tells_of_what_ran_out_meanwhile(bool usesRedis)
    {
        await using var redis = usesRedis ? await RedisServer.StartAsync() : null;
        var store = redis is null ? $"--SessionActors:DataFolder={_folder.Path}" : $"--SessionActors:Redis={redis.Address}";
        string[] arguments = [store, $"--Events={EventsPath}", "--SessionActors:Ttl=00:00:02"];
        await using (var first = await AppProcess.StartAsync(Site.App, [.. arguments, "--EventsHang=true"]))
        {
            using var visitor = new Browser(first.Address);
            await visitor.GetAsync("/set/cart/tea");
            await ReachedAsync("begun Started  tea");
            first.Kill();
        }

        await using var second = await AppProcess.StartAsync(Site.App, arguments);

        await ReachedAsync("Ended Idle tea");
        Assert.Equal(["begun Started  tea", "Started  tea", "Ended Idle tea"], await File.ReadAllLinesAsync(
            EventsPath, TestContext.Current.CancellationToken));
    }

    public void Dispose() => _folder.Dispose();

    private Task ReachedAsync(string line) => Until.TrueAsync(
        () => File.Exists(EventsPath) && File.ReadAllLines(EventsPath).Contains(line), $"'{line}' is told");
}
