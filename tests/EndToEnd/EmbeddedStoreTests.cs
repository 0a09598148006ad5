namespace SessionActors;

/// <summary>Sessions in a file beside the application.</summary>
public sealed class EmbeddedStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_session_survives_a_restart_and_its_visitor_keeps_the_cookie()
    {
        Browser visitor;
        string? cookie;
        await using (var first = await StartAsync())
        {
            visitor = new Browser(first.Address);
            await visitor.GetAsync("/set/cart/tea");
            await visitor.GetAsync("/increment/visits");
            cookie = visitor.SessionCookie;
            await first.StopAsync();
        }

        await using var second = await StartAsync();
        using var returning = visitor.At(second.Address);
        visitor.Dispose();

        Assert.Equal("tea", await returning.GetAsync("/get/cart"));
        Assert.Equal("2", await returning.GetAsync("/increment/visits"));
        Assert.Equal(cookie, returning.SessionCookie);
    }

    [Fact]
    public async Task A_destroyed_session_stays_destroyed_after_a_restart()
    {
        string? cookie;
        await using (var first = await StartAsync())
        {
            using var visitor = new Browser(first.Address);
            await visitor.GetAsync("/set/cart/tea");
            cookie = visitor.SessionCookie;
            await visitor.GetAsync("/destroy");
            await first.StopAsync();
        }

        await using var second = await StartAsync();
        using var thief = new Browser(second.Address) { SessionCookie = cookie };

        Assert.Equal("-", await thief.GetAsync("/get/cart"));
    }

    [Fact]
    public async Task Killed_while_it_writes_again_and_again_it_has_every_acknowledged_write()
    {
        const int rounds = 5;
        const int writers = 8;
        const int writesBeforeKill = 100;
        var cookies = new System.Net.CookieContainer();
        var acknowledged = new int[writers];
        for (var round = 0; round <= rounds; round++)
        {
            await using var app = await StartAsync();
            using var visitor = new Browser(app.Address, cookies);
            for (var writer = 0; writer < writers; writer++)
            {
                var found = await visitor.GetAsync($"/number/w{writer}");
                var stored = found == "-" ? 0 : int.Parse(found, System.Globalization.CultureInfo.InvariantCulture);
                // One more may have been on its way.
                Assert.InRange(stored, acknowledged[writer], acknowledged[writer] + 1);
                acknowledged[writer] = stored;
            }

            await visitor.GetAsync("/set/start/1");
            var before = acknowledged.Sum();
            var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
            {
                while (await TryAsync(visitor, $"/increment/w{writer}"))
                {
                    acknowledged[writer]++;
                    if (acknowledged.Sum() > before + writesBeforeKill)
                    {
                        busy.TrySetResult();
                    }
                }
            }));
            await Until.Async(busy.Task, "the writers are busy");
            app.Kill();
            await writing;
        }
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<bool> TryAsync(Browser visitor, string path)
    {
        try
        {
            await visitor.GetAsync(path);
            return true;
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            return false;
        }
    }

    private Task<AppProcess> StartAsync() => AppProcess.StartAsync(Site.App, $"--SessionActors:DataFolder={_folder.Path}");
}
