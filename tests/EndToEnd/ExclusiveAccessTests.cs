using System.Net;

namespace SessionActors;

/// <summary>Requests that have a session to themselves, at two servers.</summary>
[Collection(nameof(Site))]
public sealed class ExclusiveAccessTests(Site site) : IDisposable
{
    private readonly Browser _first = site.NewVisitor();

    public void Dispose() => _first.Dispose();

    [Theory]
    [InlineData("/exclusive/count/n")]
    [InlineData("/critical/n")]
    [InlineData("/turn/count/n")]
    public async Task Two_hundred_requests_that_read_compute_and_set_count_to_two_hundred(string path)
    {
        await _first.GetAsync("/set/start/1");
        using var second = _first.At(site.Second.Address);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? _first : second).GetAsync(path)));

        Assert.Equal("200", await second.GetAsync("/number/n"));
    }

    [Fact]
    public async Task While_one_has_the_session_pages_are_read_and_commits_wait()
    {
        await _first.GetAsync("/set/a/before");
        using var second = _first.At(site.Second.Address);
        var holder = await HoldAsync(_first, "a", "exclusive");

        Assert.Equal("before", await second.GetAsync("/get/a"));
        Assert.Equal("before", await second.GetAsync("/read-only/a"));
        var shared = second.GetAsync("/set/a/shared");
        var exclusive = second.GetAsync("/exclusive/set/b/after");
        Assert.Equal("before", await second.GetAsync("/get/a"));
        Assert.False(shared.IsCompleted || exclusive.IsCompleted);

        Assert.Equal("the page", await (await holder.LetGoAsync()).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        await Task.WhenAll(shared, exclusive);
        Assert.Equal("shared", await second.GetAsync("/get/a"));
        Assert.Equal("after", await second.GetAsync("/get/b"));
    }

    [Fact]
    public async Task An_action_says_how_it_uses_the_session_before_its_controller()
    {
        await _first.GetAsync("/set/a/before");
        var holder = await HoldAsync(_first, "a", "exclusive");

        Assert.Equal("before", await _first.GetAsync("/turn/shared/a"));

        await holder.LetGoAsync();
        Assert.Equal("exclusive", await _first.GetAsync("/turn/shared/a"));
    }

    [Fact]
    public async Task A_visitor_who_leaves_the_queue_keeps_nobody_waiting()
    {
        await _first.GetAsync("/set/a/before");
        var holder = await HoldAsync(_first, "a", "exclusive");
        using var leaving = new CancellationTokenSource();
        var left = _first.GetUntilAsync("/exclusive/hold/never?name=a&value=never", leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        var next = _first.GetAsync("/exclusive/set/b/after");

        await holder.LetGoAsync();

        Assert.Equal("set", await next);
        Assert.Equal("exclusive", await _first.GetAsync("/get/a"));
    }

    [Fact]
    public async Task A_critical_section_within_an_exclusive_request_does_not_wait_for_itself()
    {
        await _first.GetAsync("/set/start/1");

        Assert.Equal("done", await _first.GetAsync("/exclusive/nested/a"));

        Assert.Equal("nested", await _first.GetAsync("/get/a"));
        Assert.Equal("set", await _first.GetAsync("/exclusive/set/b/next"));
    }

    [Fact]
    public async Task Without_a_session_an_exclusive_request_begins_one()
    {
        Assert.Equal("1", await _first.GetAsync("/exclusive/count/n"));
        Assert.Equal("2", await _first.GetAsync("/exclusive/count/n"));

        using var other = site.NewVisitor();
        await other.GetAsync("/critical/n");
        Assert.Equal("1", await other.GetAsync("/number/n"));
        Assert.Equal("1", await other.GetAsync("/get/beside"));
    }

    [Fact]
    public async Task A_page_that_only_reads_cannot_have_a_critical_section()
    {
        await _first.GetAsync("/set/start/1");

        using var response = await _first.TryGetAsync("/critical-on-read-only");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("set", await _first.GetAsync("/exclusive/set/a/1"));
    }

    private static async Task<HeldRequest> HoldAsync(Browser visitor, string name, string value)
    {
        var gate = RequestId.New().ToString();
        var response = visitor.TryGetAsync($"/exclusive/hold/{gate}?name={name}&value={value}");
        await visitor.GetAsync($"/gates/{gate}/arrived");
        return new HeldRequest(visitor, gate, response);
    }
}
