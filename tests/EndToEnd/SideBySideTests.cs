namespace SessionActors;

/// <summary>Two applications on one machine.</summary>
public sealed class SideBySideTests
{
    [Fact]
    public async Task With_different_prefixes_on_one_Redis_they_never_meet()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var shop = await AppProcess.StartAsync(Site.App, Redis(redis), "--SessionActors:KeyPrefix=shop:");
        await using var forum = await AppProcess.StartAsync(Site.App, Redis(redis), "--SessionActors:KeyPrefix=forum:");
        using var customer = new Browser(shop.Address);
        await customer.GetAsync("/set/a/shop");
        var cookie = customer.SessionCookie;

        // What the browser of a customer sends to the forum, where both are on one host.
        using var stranger = new Browser(forum.Address) { SessionCookie = cookie };
        Assert.Equal("-", await stranger.GetAsync("/get/a"));
        await stranger.GetAsync("/set/a/forum");

        Assert.NotEqual(cookie, stranger.SessionCookie);
        Assert.Equal("shop", await customer.GetAsync("/get/a"));
        Assert.Equal("forum", await stranger.GetAsync("/get/a"));
        await stranger.GetAsync("/destroy");
        await forum.StopAsync();
        Assert.Equal("shop", await customer.GetAsync("/get/a"));

        // Everything in Redis is one's or the other's, the members of both clusters and their cookie keys included.
        var keys = (await redis.AdminAsync()).GetServer(redis.Address).Keys().Select(key => key.ToString()).ToArray();
        Assert.All(keys, key => Assert.Matches("^(shop|forum):", key));
        Assert.Contains(keys, key => key.StartsWith("shop:@members", StringComparison.Ordinal));
        Assert.Contains(keys, key => key.StartsWith("forum:@members", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_one_data_folder_the_second_is_refused_and_the_first_unharmed()
    {
        using var folder = new TempFolder();
        await using var first = await AppProcess.StartAsync(Site.App, In(folder));
        using var visitor = new Browser(first.Address);
        await visitor.GetAsync("/set/a/1");

        var (exitCode, output) = await AppProcess.RunAsync(
            Site.App, "--urls=http://127.0.0.1:0", In(folder), "--shutdownTimeoutSeconds=2");

        Assert.NotEqual(0, exitCode);
        Assert.Contains($"The data folder '{folder.Path}' is in use by process {first.Id}", output, StringComparison.Ordinal);
        Assert.Contains("SessionActors:DataFolder", output, StringComparison.Ordinal);
        Assert.Contains("SessionActors:Redis", output, StringComparison.Ordinal);
        Assert.Equal("1", await visitor.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_second_one_that_waits_for_the_data_folder_takes_over_when_the_first_stops()
    {
        using var folder = new TempFolder();
        await using var first = await AppProcess.StartAsync(Site.App, In(folder));
        using var visitor = new Browser(first.Address);
        await visitor.GetAsync("/set/a/1");

        var starting = AppProcess.StartAsync(Site.App, In(folder));
        await first.StopAsync();
        await using var second = await starting;

        using var returning = visitor.At(second.Address);
        Assert.Equal("1", await returning.GetAsync("/get/a"));
    }

    [Fact]
    public async Task With_different_data_folders_both_run_and_the_cookies_of_one_are_nothing_to_the_other()
    {
        using var here = new TempFolder();
        using var there = new TempFolder();
        await using var first = await AppProcess.StartAsync(Site.App, In(here));
        await using var second = await AppProcess.StartAsync(Site.App, In(there));
        using var visitor = new Browser(first.Address);
        await visitor.GetAsync("/set/a/1");

        using var stranger = new Browser(second.Address) { SessionCookie = visitor.SessionCookie };

        Assert.Equal("-", await stranger.GetAsync("/get/a"));
        Assert.Equal("1", await visitor.GetAsync("/get/a"));
    }

    private static string Redis(RedisServer redis) => $"--SessionActors:Redis={redis.Address}";

    private static string In(TempFolder folder) => $"--SessionActors:DataFolder={folder.Path}";
}
