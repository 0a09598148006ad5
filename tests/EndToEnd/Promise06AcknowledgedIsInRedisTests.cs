namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise06AcknowledgedIsInRedisTests(Site site)
{
    [Fact]
    public async Task What_a_visitor_was_told_to_be_set_is_in_Redis()
    {
        using var visitor = site.NewVisitor();

        for (var i = 0; i < 50; i++)
        {
            await visitor.GetAsync($"/set/n/{i}");
            Assert.Equal($"{i}", (await site.StoredAsync(visitor.Handle))["n"]);
        }
    }

    [Fact]
    public async Task What_a_visitor_was_told_to_be_removed_or_cleared_is_not_in_Redis()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        await visitor.GetAsync("/set/b/y");

        await visitor.GetAsync("/remove/a");
        Assert.DoesNotContain("a", (await site.StoredAsync(visitor.Handle)).Keys);

        await visitor.GetAsync("/clear");
        Assert.DoesNotContain((await site.StoredAsync(visitor.Handle)).Keys, field => !field.StartsWith('@'));
    }

    [Fact]
    public async Task The_sum_that_an_increment_returned_is_in_Redis()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/increment/n");

        Assert.Equal("2", await visitor.GetAsync("/increment/n"));

        Assert.Equal("\0\0\0\u0002", (await site.StoredAsync(visitor.Handle))["n"]);
    }

    [Fact]
    public async Task A_commit_in_the_middle_of_a_request_is_in_Redis_when_it_returns()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/before");
        var gate = RequestId.New().ToString();
        var request = visitor.GetAsync($"/load-commit/{gate}/a/x");

        await visitor.GetAsync($"/gates/{gate}/arrived");

        Assert.Equal("x", (await site.StoredAsync(visitor.Handle))["a"]);
        await visitor.GetAsync($"/gates/{gate}/open");
        await request;
    }

    [Fact]
    public async Task Of_many_parallel_requests_each_finds_its_own_change_in_Redis_when_it_is_answered()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/start/1");
        using var elsewhere = visitor.At(site.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await (i % 2 == 0 ? visitor : elsewhere).GetAsync($"/set/p{i}/{i}");
            Assert.Equal($"{i}", (await site.StoredAsync(visitor.Handle))[$"p{i}"]);
        }));
    }
}
