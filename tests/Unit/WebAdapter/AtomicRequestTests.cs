using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>A request that takes, compares and sets, gets or sets, or updates, through the front door.</summary>
public sealed class AtomicRequestTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(Endpoints);

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Fact]
    public async Task What_is_taken_is_gone_at_once_for_this_request_and_for_the_next()
    {
        using var browser = await WithAsync("a", "x");
        _site.Calls.Clear();

        Assert.Equal("x, then -", await browser.GetAsync("/take/a"));

        Assert.Equal(["OpenAsync", "TakeAsync"], _site.Calls);
        Assert.Equal("-, then -", await browser.GetAsync("/take/a"));
    }

    [Fact]
    public async Task What_was_compared_and_set_shows_at_once_and_needs_no_commit()
    {
        using var browser = await WithAsync("a", "x");
        _site.Calls.Clear();

        Assert.Equal("True, then y", await browser.GetAsync("/compare-and-set/a/x/y"));

        Assert.Equal(["OpenAsync", "CompareAndSetAsync"], _site.Calls);
        Assert.Equal("y", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task Where_something_else_is_there_nothing_is_set()
    {
        using var browser = await WithAsync("a", "x");

        Assert.Equal("False, then x", await browser.GetAsync("/compare-and-set/a/other/y"));
        Assert.Equal("x", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task What_is_there_is_got_and_what_is_not_is_set()
    {
        using var browser = await WithAsync("a", "x");

        Assert.Equal("x, then x", await browser.GetAsync("/get-or-set/a/y"));
        Assert.Equal("y, then y", await browser.GetAsync("/get-or-set/b/y"));
        Assert.Equal("y", await browser.GetAsync("/get/b"));
    }

    [Fact]
    public async Task In_a_new_session_an_operation_that_changes_something_creates_it_and_others_make_no_call()
    {
        using var stranger = _site.NewBrowser();
        Assert.Equal("-, then -", await stranger.GetAsync("/take/a"));
        Assert.Equal("False, then -", await stranger.GetAsync("/compare-and-set/a/x/y"));
        Assert.DoesNotContain("CreateAsync", _site.Calls);
        Assert.Null(stranger.SessionCookie);

        Assert.Equal("y, then y", await stranger.GetAsync("/get-or-set/a/y"));

        Assert.Equal("y", await stranger.GetAsync("/get/a"));
    }

    [Theory]
    [InlineData("take")]
    [InlineData("compare-and-set")]
    [InlineData("get-or-set")]
    [InlineData("update")]
    public async Task A_property_with_an_uncommitted_change_is_refused(string what)
    {
        using var browser = await WithAsync("a", "1");

        Assert.Contains("Call CommitAsync before", await browser.GetAsync($"/refused/changed/{what}"), StringComparison.Ordinal);
        Assert.Contains("SessionAccess.ReadOnly", await browser.GetAsync($"/refused/read-only/{what}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get-or-set")]
    [InlineData("update")]
    public async Task A_new_session_cannot_begin_with_it_after_the_response(string what)
    {
        using var stranger = _site.NewBrowser();

        Assert.Contains("after the response has started", await stranger.GetAsync($"/refused/late/{what}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_updated_got_or_set_and_taken()
    {
        using var browser = _site.NewBrowser();

        Assert.Equal("blue 1", await browser.GetAsync("/json/get-or-set/blue"));
        Assert.Equal("blue 1", await browser.GetAsync("/json/get-or-set/red"));
        Assert.Equal("blue 2", await browser.GetAsync("/json/update"));
        Assert.Equal("blue 2", await browser.GetAsync("/json/take"));
        Assert.Equal("-", await browser.GetAsync("/json/take"));
        Assert.Equal("", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task What_is_set_back_after_an_update_is_set_back()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("blue 1", await browser.GetAsync("/json/get-or-set/blue"));

        Assert.Equal("blue 1", await browser.GetAsync("/json/update-and-set-back"));

        Assert.Equal("blue 1", await browser.GetAsync("/json/take"));
    }

    [Fact]
    public async Task An_update_to_null_removes_the_property()
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("blue 1", await browser.GetAsync("/json/get-or-set/blue"));

        Assert.Equal("-", await browser.GetAsync("/json/update-to-null"));

        Assert.Equal("", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task Fifty_updates_at_once_count_to_fifty()
    {
        using var browser = await WithAsync("a", "x");

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.GetAsync("/count")));

        Assert.Equal("50", await browser.GetAsync("/counted"));
    }

    [Fact]
    public async Task An_update_that_is_overtaken_shows_nothing_else_that_changed_meanwhile()
    {
        using var browser = await WithAsync("a", "x");

        Assert.Equal("11, a is x", await browser.GetAsync("/overtaken-once"));
        Assert.Equal("y", await browser.GetAsync("/get/a"));
    }

    [Fact]
    public async Task An_update_that_is_overtaken_in_every_round_gives_up_and_names_the_property()
    {
        using var browser = await WithAsync("a", "x");

        Assert.Equal("n after 20 rounds", await browser.GetAsync("/always-overtaken"));
    }

    private async Task<Browser> WithAsync(string name, string value)
    {
        var browser = _site.NewBrowser();
        await browser.GetAsync($"/set/{name}/{value}");
        return browser;
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get/{name}", (HttpContext http, string name) => Shown(http, name));
        app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys));
        app.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) => http.Session.SetString(name, value));
        app.MapGet("/take/{name}", async (HttpContext http, string name) =>
            $"{Text(await http.GetActorSession().TakeAsync(name))}, then {Shown(http, name)}");
        app.MapGet("/compare-and-set/{name}/{expected}/{value}", async (HttpContext http, string name, string expected, string value) =>
            $"{await http.GetActorSession().CompareAndSetAsync(name, Bytes(expected), Bytes(value))}, then {Shown(http, name)}");
        app.MapGet("/get-or-set/{name}/{value}", async (HttpContext http, string name, string value) =>
            $"{Text(await http.GetActorSession().GetOrSetAsync(name, Bytes(value)))}, then {Shown(http, name)}");

        app.MapGet("/refused/{why}/{what}", async (HttpContext http, string why, string what) =>
        {
            if (why == "changed")
            {
                http.Session.SetString("a", "2");
            }

            if (why == "late")
            {
                await http.Response.WriteAsync("first ");
            }

            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(http.GetActorSession(), what));
            await http.Response.WriteAsync(refused.Message);
        });
        app.MapGet("/refused/read-only/{what}", async (HttpContext http, string what) =>
            (await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(http.GetActorSession(), what))).Message)
            .WithSessionAccess(SessionAccess.ReadOnly);

        app.MapGet("/json/get-or-set/{colour}", async (HttpContext http, string colour) =>
            Text(await http.GetActorSession().GetOrSetAsync("json", new Item(colour, 1))));
        app.MapGet("/json/update", async (HttpContext http) =>
            $"{Text(await http.GetActorSession().UpdateAsync<Item>("json", item => item! with { Count = item.Count + 1 }))}");
        app.MapGet("/json/update-and-set-back", async (HttpContext http) =>
        {
            var session = http.GetActorSession();
            var before = session.Get<Item>("json");
            await session.UpdateAsync<Item>("json", item => item! with { Count = item.Count + 1 });
            session.Set("json", before);
            return Text(session.Get<Item>("json"));
        });
        app.MapGet("/json/update-to-null", async (HttpContext http) =>
            $"{Text(await http.GetActorSession().UpdateAsync<Item>("json", _ => null))}");
        app.MapGet("/json/take", async (HttpContext http) => $"{Text(await http.GetActorSession().TakeAsync<Item>("json"))}");
        app.MapGet("/count", async (HttpContext http) => await http.GetActorSession().UpdateAsync<int>("n", n => n + 1));
        app.MapGet("/counted", (HttpContext http) => http.GetActorSession().Get<int>("n"));
        app.MapGet("/overtaken-once", async (HttpContext http, IGrainFactory grains) =>
        {
            var rounds = 0;
            var sum = await http.GetActorSession().UpdateAsync<int>("n", n =>
            {
                if (++rounds == 1)
                {
                    grains.GetGrain<ISessionGrain>(http.Session.Id).CommitAsync(
                        SessionDelta.Empty.Set("n", Bytes("10")).Set("a", Bytes("y"))).Wait();
                }

                return n + 1;
            });
            return $"{sum}, a is {Shown(http, "a")}";
        });
        app.MapGet("/always-overtaken", async (HttpContext http, IGrainFactory grains) =>
        {
            var rounds = 0;
            var e = await Assert.ThrowsAsync<SessionConflictException>(() => http.GetActorSession().UpdateAsync<int>("n", n =>
            {
                // From outside the request, and before its own change arrives.
                var other = SessionDelta.Empty.Set("n", Encoding.UTF8.GetBytes($"{++rounds}"));
                grains.GetGrain<ISessionGrain>(http.Session.Id).CommitAsync(other).Wait();
                return n + 1;
            }));
            return $"{e.Properties.Single()} after {rounds} rounds";
        });
    }

    private static Task RunAsync(IActorSession session, string what) => what switch
    {
        "take" => session.TakeAsync("a"),
        "compare-and-set" => session.CompareAndSetAsync("a", Bytes("x"), Bytes("y")),
        "get-or-set" => session.GetOrSetAsync("a", Bytes("y")),
        _ => session.UpdateAsync<int>("a", n => n + 1),
    };

    private static string Shown(HttpContext http, string name) => http.Session.GetString(name) ?? "-";

    private static string Text(byte[]? bytes) => bytes is null ? "-" : Encoding.UTF8.GetString(bytes);

    private static string Text(Item? item) => item is null ? "-" : $"{item.Colour} {item.Count}";

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private sealed record Item(string Colour, int Count);
}
