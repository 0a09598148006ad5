using System.Net;

namespace SessionActors;

/// <summary>How often a user may be signed in.</summary>
public sealed class UserLimitTests
{
    private const int Most = 3;

    [Fact]
    public async Task Of_fifty_that_sign_in_at_once_at_two_servers_three_stay()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await StartAsync(redis, "EndOldest");
        await using var second = await StartAsync(redis, "EndOldest");
        var visitors = Enumerable.Range(0, 50).Select(i => new Browser((i % 2 == 0 ? first : second).Address)).ToArray();

        await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync("/sign-in/ada?name=a&value=x")));

        var left = new List<Browser>();
        foreach (var visitor in visitors)
        {
            left.AddRange(await visitor.GetAsync("/get/a") == "x" ? [visitor] : []);
        }

        Assert.Equal(Most, left.Count);
        Assert.Equal(Most, (await left[0].GetAsync("/devices")).Split('\n').Length);
        Array.ForEach(visitors, visitor => visitor.Dispose());
    }

    [Fact]
    public async Task Where_new_ones_are_refused_the_answer_says_so_and_nobody_is_signed_in()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await StartAsync(redis, "RefuseNew");
        var visitors = Enumerable.Range(0, Most).Select(_ => new Browser(server.Address)).ToArray();
        foreach (var visitor in visitors)
        {
            await visitor.GetAsync("/sign-in/ada");
        }

        using var late = new Browser(server.Address);
        using (var refused = await late.TryGetAsync("/sign-in/ada"))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Contains(
                "MaxSessionsPerUser = 3",
                await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
                StringComparison.Ordinal);
        }

        Assert.Equal("- -", await late.GetAsync("/user"));
        await visitors[0].GetAsync("/sign-out");
        await late.GetAsync("/sign-in/ada");
        Assert.Equal("ada ada", await late.GetAsync("/user"));
        Array.ForEach(visitors, visitor => visitor.Dispose());
    }

    private static Task<AppProcess> StartAsync(RedisServer redis, string onLimit) => AppProcess.StartAsync(
        Site.App,
        $"--SessionActors:Redis={redis.Address}",
        $"--SessionActors:MaxSessionsPerUser={Most}",
        $"--SessionActors:OnSessionLimit={onLimit}");
}
