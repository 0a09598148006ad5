using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Changes inside a property, as the grain merges them.</summary>
public sealed class NestedChangesTests
{
    private const string Cart = """{"coupon":null,"items":[{"sku":"tea","quantity":1},{"sku":"milk","quantity":1}],"total":1.10}""";

    [Fact]
    public async Task Two_changes_inside_one_property_both_survive_in_one_flush()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        var gate = cluster.Storage.Hold("commit");

        var first = session.CommitAsync(Patch("""{"op":"add","path":"/coupon","value":"TEN"}"""));
        await gate.ArrivedAsync();
        var second = session.CommitAsync(Patch("""{"op":"replace","path":"/items/1/quantity","value":3}"""));
        var third = session.CommitAsync(Patch("""{"op":"add","path":"/items/-","value":{"sku":"jam","quantity":1}}"""));
        await cluster.StoringAsync(3);
        Assert.Equal(Cart, (await session.ReadAsync())!.GetString("cart"));
        gate.Open();
        await Task.WhenAll(first, second, third);

        Assert.Equal(
            """{"coupon":"TEN","items":[{"sku":"tea","quantity":1},{"sku":"milk","quantity":3},{"sku":"jam","quantity":1}],"total":1.10}""",
            await CartOf(session));
        Assert.Equal(2, cluster.Storage.Count("commit"));
        await cluster.DeactivateAsync(session);
        Assert.Contains("\"jam\"", await CartOf(session), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"op":"replace","path":"/items/2/quantity","value":3}""")]
    [InlineData("""{"op":"add","path":"/address/street","value":"x"}""")]
    [InlineData("""{"op":"test","path":"/items/0/sku","value":"milk"}""")]
    [InlineData("""{"op":"copy","from":"/items","path":"/more"}""")]
    [InlineData("no JSON")]
    public async Task What_does_not_fit_is_a_conflict_of_its_property_and_nothing_of_the_commit_is_stored(string operation)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        var before = await session.ReadAsync();

        var error = await Assert.ThrowsAsync<SessionConflictException>(() => session.CommitAsync(
            Patch("""{"op":"add","path":"/coupon","value":"TEN"}""").Patch("cart", Encoding.UTF8.GetBytes($"[{operation}]"))
                .Set("other", "x"u8).WithTtl(TimeSpan.FromHours(1))));

        Assert.Equal(["cart"], error.Properties);
        Assert.Contains("'cart'", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, cluster.Storage.Count("commit"));
        Assert.Equal(before!.Version, (await session.ReadAsync())!.Version);
        await session.CommitAsync(SessionDelta.Empty.Set("next", "x"u8));
        Assert.Equal(Cart, await CartOf(session));
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("clear")]
    [InlineData("text")]
    public async Task A_property_that_was_removed_meanwhile_is_a_conflict_and_not_made_anew(string meanwhile)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        await session.CommitAsync(meanwhile switch
        {
            "remove" => SessionDelta.Empty.Remove("cart"),
            "clear" => SessionDelta.Empty.Clear(),
            _ => SessionDelta.Empty.Set("cart", "some text"u8),
        });

        var error = await Assert.ThrowsAsync<SessionConflictException>(
            () => session.CommitAsync(Patch("""{"op":"add","path":"/coupon","value":"TEN"}""")));

        Assert.Equal(["cart"], error.Properties);
        Assert.Equal(meanwhile == "text" ? "some text" : null, await CartOf(session));
    }

    [Fact]
    public async Task What_the_same_delta_sets_or_clears_comes_before_its_patches()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        var set = SessionDelta.Empty.Clear().Set("cart", "[1.0]"u8).Patch("cart", """[{"op":"add","path":"/-","value":2}]"""u8);

        await session.CommitAsync(set);
        Assert.Equal("[1.0,2]", await CartOf(session));
        await Assert.ThrowsAsync<SessionConflictException>(
            () => session.CommitAsync(SessionDelta.Empty.Clear().Patch("cart", """[{"op":"add","path":"/-","value":2}]"""u8)));
        Assert.Equal("[1.0,2]", await CartOf(session));

        var created = cluster.Session(SessionHandle.New());
        await created.CreateAsync(new NewSession { Delta = set }, SessionRequest.New());
        Assert.Equal("[1.0,2]", await CartOf(created));
    }

    [Fact]
    public async Task A_patch_that_changes_nothing_writes_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);

        await session.CommitAsync(Patch("""{"op":"add","path":"/items/0/quantity","value":1}"""));

        Assert.Equal(0, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task Work_and_size_have_their_limits()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        var operation = """{"op":"add","path":"/n","value":1}""";
        var many = SessionDelta.Empty.Patch("cart", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat(operation, 3000))}]"));
        var large = Patch($$"""{"op":"add","path":"/n","value":"{{new string('x', 64 * 1024)}}"}""");
        var tooLarge = Patch($$"""{"op":"add","path":"/n","value":"{{new string('x', 128 * 1024)}}"}""");
        var tooMany = SessionDelta.Empty.Patch(
            "cart", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("""{"op":"","path":""}""", 4097))}]"));

        await session.CommitAsync(many);
        var property = await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(large));
        var bytes = await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(tooLarge));
        var operations = await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(tooMany));

        Assert.Equal(nameof(SessionActorsOptions.MaxPropertyBytes), property.Limit);
        Assert.Contains("the largest patch", bytes.Message, StringComparison.Ordinal);
        Assert.Equal((4096, 4097), (operations.Allowed, operations.Actual));
    }

    [Fact]
    public async Task A_patch_is_applied_again_to_what_another_cluster_has_made_of_the_property()
    {
        await using var clusters = await TwoAsync();
        var (here, there) = (await CartAsync(clusters.One, clusters.Handle), clusters.Two.Session(clusters.Handle));
        await there.CommitAsync(Patch("""{"op":"add","path":"/coupon","value":"TEN"}"""));

        await here.CommitAsync(Patch("""{"op":"replace","path":"/items/1/quantity","value":3}"""));

        Assert.Equal(1, clusters.One.Storage.Count("claim"));
        var cart = await CartOf(here);
        Assert.Contains("\"coupon\":\"TEN\"", cart, StringComparison.Ordinal);
        Assert.Contains("{\"sku\":\"milk\",\"quantity\":3}", cart, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_that_fits_here_and_not_what_another_cluster_has_stored_is_a_conflict_and_others_in_its_flush_go_on()
    {
        await using var clusters = await TwoAsync();
        var (here, there) = (await CartAsync(clusters.One, clusters.Handle), clusters.Two.Session(clusters.Handle));
        await there.CommitAsync(SessionDelta.Empty.Remove("cart"));
        var gate = clusters.One.Storage.Hold("commit");

        var first = here.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        await gate.ArrivedAsync();
        var patch = here.CommitAsync(Patch("""{"op":"add","path":"/coupon","value":"TEN"}""").Set("b", "x"u8));
        var last = here.CommitAsync(SessionDelta.Empty.Set("c", "x"u8));
        await here.ReadAsync();
        gate.Open();
        await Task.WhenAll(first, last);

        var error = await Assert.ThrowsAsync<SessionConflictException>(() => patch);
        Assert.Equal(["cart"], error.Properties);
        Assert.Equal(["a", "c", "first"], (await here.ReadAsync())!.Properties.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_element_is_added_once_however_often_the_answer_gets_lost()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await CartAsync(cluster);
        var append = Patch("""{"op":"add","path":"/items/-","value":{"sku":"jam"}}""");
        var request = SessionRequest.New();
        var lost = 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "commit" && lost++ == 0 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        var version = await cluster.MoveTimeAsync(session.CommitAsync(append, request));
        Assert.Equal(version, await session.CommitAsync(append, request));
        await cluster.DeactivateAsync(session);
        Assert.Equal(version, await session.CommitAsync(append, request with { UnansweredFor = TimeSpan.FromSeconds(1) }));

        var cart = (await CartOf(session))!;
        Assert.Equal(1, cart.Split("jam").Length - 1);
    }

    private static SessionDelta Patch(string operation) => SessionDelta.Empty.Patch("cart", Encoding.UTF8.GetBytes($"[{operation}]"));

    private static async Task<ISessionGrain> CartAsync(SessionCluster cluster, SessionHandle? handle = null)
    {
        var session = cluster.Session(handle ?? SessionHandle.New());
        var delta = SessionDelta.Empty.Set("first", "1"u8).Set("cart", Encoding.UTF8.GetBytes(Cart));
        await session.CreateAsync(new NewSession { Delta = delta }, SessionRequest.New());
        return session;
    }

    private static async Task<string?> CartOf(ISessionGrain session) => (await session.ReadAsync())!.GetString("cart");

    private static async Task<Pair> TwoAsync()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        return new Pair(
            await SessionCluster.StartAsync(storage, time, clusterId: "one"),
            await SessionCluster.StartAsync(storage, time, clusterId: "two"));
    }

    private sealed class Pair(SessionCluster one, SessionCluster two) : IAsyncDisposable
    {
        public SessionHandle Handle { get; } = SessionHandle.New();

        public SessionCluster One => one;

        public SessionCluster Two => two;

        public async ValueTask DisposeAsync()
        {
            await one.DisposeAsync();
            await two.DisposeAsync();
        }
    }
}
