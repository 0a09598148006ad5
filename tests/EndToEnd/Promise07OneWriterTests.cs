using System.Globalization;

namespace SessionActors;

public sealed class Promise07OneWriterTests(TwoClusters clusters) : IClassFixture<TwoClusters>
{
    private const int Rounds = 25;

    [Fact]
    public async Task Increments_in_two_clusters_at_once_are_all_counted_and_none_twice()
    {
        using var first = new Browser(clusters.First.Address);
        await first.GetAsync("/set/start/1");
        using var second = first.At(clusters.Second.Address);

        var sums = await Task.WhenAll(IncrementAsync(first), IncrementAsync(second));

        Assert.Equal(Enumerable.Range(1, 2 * Rounds), sums.SelectMany(sum => sum).Order());
    }

    [Fact]
    public async Task A_server_that_lost_the_session_to_another_cluster_writes_only_on_top_of_what_that_one_wrote()
    {
        using var first = new Browser(clusters.First.Address);
        await first.GetAsync("/set/a/first");
        using var second = first.At(clusters.Second.Address);
        await second.GetAsync("/set/a/second");
        await second.GetAsync("/set/b/second");

        // It still holds the session in memory as it was, and does not know better until the store refuses it.
        await first.GetAsync("/set/c/first");

        Assert.Equal("a b c", await first.GetAsync("/keys"));
        Assert.Equal("second", await first.GetAsync("/get/a"));
        var stored = await clusters.Redis.StoredAsync(first.Handle);
        Assert.Equal(("second", "second", "first", "4"), (stored["a"], stored["b"], stored["c"], stored["@version"]));
    }

    [Fact]
    public async Task A_session_that_was_destroyed_in_one_cluster_is_not_written_back_by_another_that_holds_it()
    {
        using var first = new Browser(clusters.First.Address);
        await first.GetAsync("/set/a/first");
        using var second = new Browser(clusters.Second.Address) { SessionCookie = first.SessionCookie };
        var handle = first.Handle;
        var held = await first.HoldAsync("set", "a", "late");

        await second.GetAsync("/destroy");
        using var response = await held.LetGoAsync();

        Assert.Equal(["@ended"], (await clusters.Redis.StoredAsync(handle)).Keys);
    }

    private static async Task<List<int>> IncrementAsync(Browser visitor)
    {
        var sums = new List<int>();
        for (var i = 0; i < Rounds; i++)
        {
            sums.Add(int.Parse(await visitor.GetAsync("/increment/n"), CultureInfo.InvariantCulture));
        }

        return sums;
    }
}
