using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace SessionActors;

/// <summary>The shop and its back office, used as a person uses them.</summary>
public sealed class SamplesTests : IAsyncLifetime
{
    private const string Cart = "SessionActors.Cart";
    private const string Backoffice = "SessionActors.Backoffice";

    private readonly TempFolder _folder = new();
    private readonly int _gateway = RedisServer.FreePort();
    private AppProcess _shop = null!;
    private Browser _visitor = null!;

    public async ValueTask InitializeAsync()
    {
        _shop = await StartAsync();
        _visitor = new Browser(_shop.Address);
    }

    [Fact]
    public async Task Two_tabs_that_add_to_the_cart_at_the_same_time_both_keep_what_they_added()
    {
        await _visitor.GetAsync("/");
        using var tab = _visitor.At(_shop.Address);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            PostAsync(i % 2 == 0 ? _visitor : tab, $"/cart/{(i % 4 < 2 ? "tea" : "mug")}/more")));
        await PostAsync(tab, "/cart/tea/less");

        var page = await _visitor.GetAsync("/");
        Assert.Equal("19", Shown(page, "tea"));
        Assert.Equal("20", Shown(page, "mug"));
        Assert.Equal("517.50 €", Shown(page, "total"));
        await PostAsync(_visitor, "/cart/mug/remove");
        Assert.Equal("237.50 €", Shown(await tab.GetAsync("/"), "total"));
    }

    [Fact]
    public async Task The_cart_survives_a_restart_of_the_shop_and_a_log_out_ends_it()
    {
        await _visitor.GetAsync("/");
        await PostAsync(_visitor, "/cart/pot/more");
        await PostAsync(_visitor, "/note", ("note", "<b>wrapped</b>, please"));
        await _shop.StopAsync();
        await _shop.DisposeAsync();
        _shop = await StartAsync();
        using var returning = _visitor.At(_shop.Address);

        var page = await returning.GetAsync("/");
        Assert.Equal("1", Shown(page, "pot"));
        Assert.Equal("2", Shown(page, "visits"));
        Assert.Contains("&lt;b&gt;wrapped&lt;/b&gt;, please", page, StringComparison.Ordinal);

        await PostAsync(returning, "/logout");
        var after = await returning.GetAsync("/");
        Assert.Equal("1", Shown(after, "visits"));
        Assert.Equal("0.00 €", Shown(after, "total"));
        Assert.NotEqual(Shown(page, "session"), Shown(after, "session"));
    }

    [Fact]
    public async Task An_article_that_the_shop_does_not_have_is_not_found()
    {
        using var response = await _visitor.SendAsync(HttpMethod.Post, "/cart/elephant/more");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData(Cart)]
    [InlineData("SessionActors.Silo")]
    public async Task What_stops_the_start_is_said_in_one_line(string program)
    {
        var (exitCode, output) = await AppProcess.RunAsync(
            program, "--urls=http://127.0.0.1:0", "--Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host=Critical",
            $"--SessionActors:DataFolder={_folder.Path}", $"--SessionActors:GatewayPort={_gateway}");

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"fail: The silo cannot listen at 127.0.0.1:{_gateway}", output, StringComparison.Ordinal);
        Assert.Single(output.Split('\n'));
    }

    [Fact]
    public async Task Its_health_can_be_asked()
    {
        Assert.Equal("Healthy", await _visitor.GetAsync("/health/live"));
        Assert.Equal("Healthy", await _visitor.GetAsync("/health/ready"));
    }

    [Fact]
    public async Task The_back_office_reads_changes_and_ends_the_session_that_the_shop_shows()
    {
        var handle = Shown(await _visitor.GetAsync("/"), "session");
        await PostAsync(_visitor, "/cart/tea/more");

        var (exitCode, shown) = await BackofficeAsync("show", handle);
        Assert.Equal(0, exitCode);
        Assert.Contains("item:tea = 1", shown, StringComparison.Ordinal);

        (exitCode, _) = await BackofficeAsync("set", handle, "item:cake", "7");
        Assert.Equal(0, exitCode);
        (exitCode, _) = await BackofficeAsync("set", handle, "note", "from the office");
        Assert.Equal(0, exitCode);
        var page = await _visitor.GetAsync("/");
        Assert.Equal("7", Shown(page, "cake"));
        Assert.Equal("1", Shown(page, "tea"));
        Assert.Contains("from the office", page, StringComparison.Ordinal);

        (exitCode, _) = await BackofficeAsync("destroy", handle);
        Assert.Equal(0, exitCode);
        Assert.NotEqual(handle, Shown(await _visitor.GetAsync("/"), "session"));
        (exitCode, shown) = await BackofficeAsync("show", handle);
        Assert.Equal(1, exitCode);
        Assert.Contains("There is no such session", shown, StringComparison.Ordinal);
        (exitCode, shown) = await BackofficeAsync("set", handle, "note", "too late");
        Assert.Equal(1, exitCode);
        // The tombstone tells why, while there is one.
        Assert.Matches("was destroyed|does not exist", shown);
    }

    [Theory]
    [InlineData("Say what to do")]
    [InlineData("There is no command 'dance'", "dance")]
    [InlineData("'show' takes 1 argument(s), not 0", "show")]
    [InlineData("'nonsense' is no session handle", "show", "nonsense")]
    [InlineData("There is no option '--speed=9'", "--speed=9", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("--gateway=nowhere is no IP address", "--gateway=nowhere", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("--redis= says nothing", "--redis=", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("--cluster= says nothing", "--cluster=", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("--redis names no server", "--redis=,,", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("--redis names no server", "--redis=127.0.0.1:1,speed=9", "show", "AAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Wrong_arguments_of_the_back_office_are_told_with_its_usage(string message, params string[] arguments)
    {
        var (exitCode, output) = await AppProcess.RunAsync(Backoffice, arguments);

        Assert.Equal(2, exitCode);
        Assert.StartsWith(message, output, StringComparison.Ordinal);
        Assert.Contains("Backoffice [options] destroy <handle>", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--gateway=127.0.0.1:{0}", "No silo at 127.0.0.1:{0} answers")]
    [InlineData("--redis=127.0.0.1:{0}", "No silo of cluster 'session' through Redis 127.0.0.1:{0} answers")]
    [InlineData("--redis=127.0.0.1:{0},password=secret", "No silo of cluster 'session' through Redis 127.0.0.1:{0},password=***** answers")]
    [InlineData("--redis=127.0.0.1:{0} --prefix=shop:", "No silo of cluster 'shop' through Redis 127.0.0.1:{0} answers")]
    public async Task A_back_office_that_finds_no_silo_says_where_it_looked(string options, string message)
    {
        var nobody = RedisServer.FreePort();

        var (exitCode, output) = await AppProcess.RunAsync(
            Backoffice, [.. string.Format(CultureInfo.InvariantCulture, options, nobody).Split(' '), "show", "AAAAAAAAAAAAAAAAAAAAAA"]);

        Assert.Equal(1, exitCode);
        Assert.StartsWith(string.Format(CultureInfo.InvariantCulture, message, nobody), output, StringComparison.Ordinal);
        Assert.Contains("--gateway, --redis and --cluster", output, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        await _shop.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task PostAsync(Browser visitor, string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var response = await visitor.SendAsync(HttpMethod.Post, path, form);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal("/", response.Headers.Location?.OriginalString);
    }

    private static string Shown(string page, string id)
    {
        var found = Regex.Match(page, $"id=\"{id}\">([^<]*)<");
        return found.Success ? WebUtility.HtmlDecode(found.Groups[1].Value) : throw new InvalidOperationException($"No '{id}' in:\n{page}");
    }

    private Task<AppProcess> StartAsync() =>
        AppProcess.StartAsync(Cart, $"--SessionActors:DataFolder={_folder.Path}", $"--SessionActors:GatewayPort={_gateway}");

    private Task<(int ExitCode, string Output)> BackofficeAsync(params string[] arguments) =>
        AppProcess.RunAsync(Backoffice, [$"--gateway=127.0.0.1:{_gateway}", .. arguments]);
}
