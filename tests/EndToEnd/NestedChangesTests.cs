using System.Net;

namespace SessionActors;

/// <summary>Two requests that change different places inside one property, over HTTP.</summary>
[Collection(nameof(Site))]
public sealed class NestedChangesTests(Site site, TwoClusters clusters) : IClassFixture<TwoClusters>
{
    [Fact]
    public async Task A_coupon_and_a_quantity_changed_by_two_requests_at_two_servers_both_survive()
    {
        using var first = await CartAsync(site.First);
        using var second = first.At(site.Second.Address);

        await Task.WhenAll(
            LetGoAsync(await HoldAsync(first, "coupon", "TEN")),
            LetGoAsync(await HoldAsync(second, "quantity", "3", index: 2)));

        Assert.Equal("tea:1 milk:1 jam:3 TEN Main Street", await first.GetAsync("/nested"));
        Assert.Equal("tea:1 milk:1 jam:3 TEN Main Street", await second.GetAsync("/nested"));
    }

    [Fact]
    public async Task Two_servers_that_know_nothing_of_each_other_merge_what_they_changed_too()
    {
        using var first = await CartAsync(clusters.First);
        using var second = first.At(clusters.Second.Address);

        await Task.WhenAll(
            LetGoAsync(await HoldAsync(first, "coupon", "TEN")),
            LetGoAsync(await HoldAsync(second, "quantity", "3", index: 2)));

        var cart = (await clusters.Redis.StoredAsync(first.Handle))["cart"];
        Assert.Contains("\"coupon\":\"TEN\"", cart, StringComparison.Ordinal);
        Assert.Contains("{\"sku\":\"jam\",\"quantity\":3}", cart, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_requests_that_each_change_an_element_or_add_one_all_keep_theirs()
    {
        using var first = await CartAsync(site.First);
        using var second = first.At(site.Second.Address);
        var held = new List<HeldRequest>();
        for (var i = 0; i < 3; i++)
        {
            held.Add(await HoldAsync(first, "quantity", $"{i + 5}", i));
            held.Add(await HoldAsync(second, "add", $"new{i}"));
        }

        await Task.WhenAll(held.Select(LetGoAsync));

        var cart = await first.GetAsync("/nested");
        Assert.StartsWith("tea:5 milk:6 jam:7 ", cart, StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Contains($"new{i}:1", cart, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no-address", "street", 0)]
    [InlineData("remove", "quantity", 0)]
    [InlineData("remove", "remove", 2)]
    public async Task A_change_whose_place_is_gone_is_a_conflict_that_names_the_property_and_stores_nothing(
        string meanwhile, string what, int index)
    {
        using var visitor = await CartAsync(site.First);
        var held = await HoldAsync(visitor, what, "9", index, caught: true);
        await LetGoAsync(await HoldAsync(visitor, meanwhile));
        var stored = await site.StoredAsync(visitor.Handle);

        Assert.Equal("conflict over cart", await LetGoAsync(held));

        Assert.Equal(stored, await site.StoredAsync(visitor.Handle));
        await visitor.GetAsync("/set/next/x");
        Assert.Equal("x", await visitor.GetAsync("/get/next"));
    }

    [Theory]
    [InlineData("/remove/cart", "-")]
    [InlineData("/clear", "-")]
    [InlineData("/set/cart/5", null)]
    public async Task A_change_inside_a_property_that_is_gone_is_a_conflict_and_does_not_bring_it_back(string meanwhile, string? after)
    {
        using var visitor = await CartAsync(site.First);
        var held = await HoldAsync(visitor, "coupon", "TEN", caught: true);
        await visitor.GetAsync(meanwhile);

        Assert.Equal("conflict over cart", await LetGoAsync(held));

        Assert.Equal(after ?? "5", await visitor.GetAsync(after is null ? "/get/cart" : "/nested"));
    }

    [Fact]
    public async Task A_conflict_that_no_endpoint_catches_is_an_error_instead_of_the_page()
    {
        using var visitor = await CartAsync(site.First);
        var held = await HoldAsync(visitor, "street", "Side Street");
        await LetGoAsync(await HoldAsync(visitor, "no-address"));

        using var response = await held.LetGoAsync();

        Assert.False(response.IsSuccessStatusCode);
        Assert.NotEqual("changed", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("tea:1 milk:1 jam:1 - -", await visitor.GetAsync("/nested"));
    }

    [Fact]
    public async Task What_an_endpoint_changes_in_an_object_and_does_not_set_is_no_change()
    {
        using var visitor = await CartAsync(site.First);
        var held = await HoldAsync(visitor, "mutate", "TEN");

        Assert.Empty(await site.ScriptsOfAsync(() => LetGoAsync(held)));

        Assert.Equal("tea:1 milk:1 jam:1 - Main Street", await visitor.GetAsync("/nested"));
    }

    private static async Task<Browser> CartAsync(AppProcess server)
    {
        var visitor = new Browser(server.Address);
        await visitor.GetAsync("/nested/new");
        return visitor;
    }

    private static Task<HeldRequest> HoldAsync(Browser visitor, string what, string value = "", int index = 0, bool caught = false) =>
        visitor.HoldAsync(gate => $"/nested/{gate}/{what}?value={value}&index={index}&caught={caught}");

    private static async Task<string> LetGoAsync(HeldRequest held)
    {
        using var response = await held.LetGoAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
