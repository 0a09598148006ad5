using System.Text;

namespace SessionActors;

[Collection(nameof(Site))]
public sealed class Promise03OnlyWhatChangedTests(Site site)
{
    private const int MostBytesPerCommit = 500;

    private static readonly string[] Meta = ["@epoch", "@format", "@generation", "@owner", "@r1", "@secret", "@silo", "@version"];

    [Fact]
    public async Task Redis_has_one_field_for_each_property_and_the_meta_fields_that_are_written_down()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/colour/green");

        var stored = await site.StoredAsync(visitor.Handle);

        Assert.Equal([.. Meta, "colour"], stored.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("green", stored["colour"]);
    }

    [Fact]
    public async Task A_removed_property_leaves_Redis_and_the_others_stay()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        await visitor.GetAsync("/set/b/y");

        await visitor.GetAsync("/remove/a");

        var stored = await site.StoredAsync(visitor.Handle);
        Assert.DoesNotContain("a", stored.Keys);
        Assert.Equal("y", stored["b"]);
    }

    [Fact]
    public async Task A_property_that_a_request_only_reads_is_not_sent_again()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/kept/original");
        await visitor.GetAsync("/set/changed/1");
        // Nobody else may write here; the test does, to see whether anything writes over it.
        await (await site.Redis.DatabaseAsync()).HashSetAsync(SiteRedis.KeyOf(visitor.Handle), "kept", "marked");

        await visitor.GetAsync("/set/changed/2");

        var stored = await site.StoredAsync(visitor.Handle);
        Assert.Equal("marked", stored["kept"]);
        Assert.Equal("2", stored["changed"]);
    }

    [Fact]
    public async Task A_property_whose_name_looks_like_a_meta_field_is_kept_apart_from_it()
    {
        using var visitor = site.NewVisitor();

        await visitor.SetAsync("@version", "mine"u8.ToArray());

        var stored = await site.StoredAsync(visitor.Handle);
        Assert.Equal("mine", stored["@@version"]);
        Assert.Equal("1", stored["@version"]);
        Assert.Equal(Convert.ToHexString("mine"u8), await visitor.GetAsync("/value?name=@version"));
    }

    [Fact]
    public async Task Changing_a_property_of_16_bytes_sends_Redis_500_bytes_at_most()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");

        var bytes = await site.Redis.BytesOfAsync(i => visitor.SetAsync("a", ValueOf16Bytes(i)));

        Assert.InRange(bytes, 16, MostBytesPerCommit);
    }

    [Fact]
    public async Task The_bytes_of_a_commit_do_not_grow_with_the_session()
    {
        using var small = site.NewVisitor();
        await small.GetAsync("/set/a/x");
        using var large = site.NewVisitor();
        await large.GetAsync("/many/1000");
        for (var i = 0; i < 10; i++)
        {
            await large.SetAsync($"large{i}", new byte[60_000]);
        }

        var bytesOfSmall = await site.Redis.BytesOfAsync(i => small.SetAsync("a", ValueOf16Bytes(i)));
        var bytesOfLarge = await site.Redis.BytesOfAsync(i => large.SetAsync("a", ValueOf16Bytes(i)));

        // The version is a number and may have a digit more, in three places.
        Assert.InRange(bytesOfLarge, bytesOfSmall - 3, bytesOfSmall + 3);
    }

    private static byte[] ValueOf16Bytes(int i) => Encoding.ASCII.GetBytes($"value {i,10}");
}
