namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise01NoLostUpdateTests(Site site)
{
    [Fact]
    public async Task Two_hundred_parallel_requests_at_two_servers_that_set_distinct_properties_all_keep_theirs()
    {
        using var first = site.NewVisitor();
        await first.GetAsync("/set/start/1");
        using var second = first.At(site.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? first : second).GetAsync($"/set/p{i}/x")));

        Assert.Equal(201, (await first.GetAsync("/keys")).Split(' ').Length);
    }

    [Fact]
    public async Task A_slow_request_does_not_overwrite_what_a_fast_one_set_meanwhile()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/old");
        var gate = Guid.CreateVersion7().ToString();
        var slow = visitor.GetAsync($"/slow/{gate}/set?name=b&value=slow");
        await visitor.GetAsync($"/gates/{gate}/arrived");

        await visitor.GetAsync("/set/a/new");
        await visitor.GetAsync($"/gates/{gate}/open");
        await slow;

        Assert.Equal("new", await visitor.GetAsync("/get/a"));
        Assert.Equal("slow", await visitor.GetAsync("/get/b"));
    }

    [Fact]
    public async Task Two_hundred_parallel_increments_at_two_servers_count_to_two_hundred()
    {
        using var first = site.NewVisitor();
        await first.GetAsync("/set/start/1");
        using var second = first.At(site.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? first : second).GetAsync("/increment/n")));

        Assert.Equal("200", await first.GetAsync("/number/n"));
    }
}
