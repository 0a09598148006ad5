using System.Globalization;

namespace SessionActors;

/// <summary>The list of a user's sessions in Redis, where they are many.</summary>
[Collection(nameof(Site))]
public sealed class UserListTests(Site site)
{
    private const int Many = 2_000;

    // A page of 64, twice, and what a sign-in takes besides; all of them together are many times that.
    private const long MostBytes = 64 * 1024;

    [Fact]
    public async Task A_sign_in_of_a_user_with_thousands_of_sessions_writes_one_page_of_them()
    {
        var user = RequestId.New().ToString();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Many),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken },
            async (_, _) =>
            {
                using var visitor = site.NewVisitor();
                await visitor.GetAsync($"/bind/{user}");
            });
        using var last = site.NewVisitor();
        await last.GetAsync("/set/a/x");
        var before = (await site.Redis.UsageAsync()).InputBytes;

        await last.GetAsync($"/sign-in/{user}");

        Assert.InRange((await site.Redis.UsageAsync()).InputBytes - before, 1, MostBytes);
        var database = await site.Redis.DatabaseAsync();
        var server = (await site.Redis.AdminAsync()).GetServer(site.Redis.Address);
        var pages = server.Keys(pattern: $"session:@state:usersessions*{user}").ToList();
        Assert.InRange(pages.Count, Many / UserSessionPages.MostInPage, Many);
        foreach (var page in pages)
        {
            Assert.InRange((await database.KeyTimeToLiveAsync(page))!.Value, TimeSpan.FromDays(29), UserSessionPages.KeptUnused);
            var size = (long)await database.ExecuteAsync("MEMORY", "USAGE", page);
            Assert.True(size < MostBytes, string.Create(CultureInfo.InvariantCulture, $"{page} has {size} bytes"));
        }

        await last.GetAsync("/log-out-everywhere?others=true");
        Assert.Single((await last.GetAsync("/devices")).Split('\n'));
    }
}
