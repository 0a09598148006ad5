namespace SessionActors;

/// <summary>What a request costs in Redis, counted in scripts: the figures that the documentation gives.</summary>
[Collection(nameof(Site))]
public sealed class PerRequestCostTests(Site site)
{
    private const int Requests = 10;

    [Fact]
    public async Task A_request_to_an_endpoint_without_a_session_costs_0()
    {
        using var visitor = await NewSessionAsync();

        Assert.Empty(await ScriptsOfAsync(_ => visitor.GetAsync("/none")));
    }

    [Fact]
    public async Task An_anonymous_read_costs_0()
    {
        using var visitor = site.NewVisitor();

        Assert.Empty(await ScriptsOfAsync(_ => visitor.GetAsync("/get/a")));
    }

    [Fact]
    public async Task A_read_of_an_active_session_costs_0()
    {
        using var visitor = await NewSessionAsync();

        Assert.Empty(await ScriptsOfAsync(_ => visitor.GetAsync("/get/a")));
    }

    [Fact]
    public async Task A_first_write_costs_1()
    {
        using var warm = await NewSessionAsync();
        var visitors = Enumerable.Range(0, Requests).Select(_ => site.NewVisitor()).ToList();

        Assert.Equal(EachTime("create"), await ScriptsOfAsync(i => visitors[i].GetAsync("/set/a/x")));

        visitors.ForEach(visitor => visitor.Dispose());
    }

    [Fact]
    public async Task A_write_costs_1_also_at_the_server_that_does_not_hold_the_session()
    {
        using var visitor = await NewSessionAsync();
        using var elsewhere = visitor.At(site.Second.Address);

        Assert.Equal(EachTime("commit"), await ScriptsOfAsync(i => visitor.GetAsync($"/set/a/{i}")));
        Assert.Equal(EachTime("commit"), await ScriptsOfAsync(i => elsewhere.GetAsync($"/set/a/again{i}")));
    }

    [Fact]
    public async Task An_increment_costs_1()
    {
        using var visitor = await NewSessionAsync();

        Assert.Equal(EachTime("commit"), await ScriptsOfAsync(_ => visitor.GetAsync("/increment/n")));
    }

    [Fact]
    public async Task A_new_secret_costs_1()
    {
        using var visitor = await NewSessionAsync();

        Assert.Equal(EachTime("commit"), await ScriptsOfAsync(_ => visitor.GetAsync("/regenerate")));
    }

    [Fact]
    public async Task A_log_out_costs_1()
    {
        var visitors = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => NewSessionAsync()));

        Assert.Equal(EachTime("destroy"), await ScriptsOfAsync(i => visitors[i].GetAsync("/destroy")));

        Array.ForEach(visitors, visitor => visitor.Dispose());
    }

    private static IEnumerable<string> EachTime(string script) => Enumerable.Repeat(script, Requests);

    private async Task<Browser> NewSessionAsync()
    {
        var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        return visitor;
    }

    private Task<string[]> ScriptsOfAsync(Func<int, Task> request) => site.ScriptsOfAsync(async () =>
    {
        for (var i = 0; i < Requests; i++)
        {
            await request(i);
        }
    });
}
