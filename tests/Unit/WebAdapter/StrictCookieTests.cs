using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace SessionActors;

/// <summary>What <c>UseStrictCookie</c> turns on.</summary>
public sealed class StrictCookieTests
{
    [Fact]
    public async Task The_cookie_is_this_hosts_alone_and_secure()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.UseStrictCookie());
        using var client = Client(site);

        using var response = await client.GetAsync(Path("/set"), TestContext.Current.CancellationToken);

        var cookie = SetCookieHeaderValue.Parse(response.Headers.GetValues("Set-Cookie").Single());
        Assert.Equal("__Host-Session", cookie.Name.Value);
        Assert.Equal(("/", true, true, false), (cookie.Path.Value, cookie.Secure, cookie.HttpOnly, cookie.Domain.HasValue));
    }

    [Fact]
    public async Task A_session_ends_after_twelve_hours_however_active()
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.UseStrictCookie());
        using var client = Client(site);
        var cookie = await BeginAsync(client);

        site.Time.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(2));
        Assert.Equal("x", await GetAsync(client, "/get", cookie));
        site.Time.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal("-", await GetAsync(client, "/get", cookie));
        Assert.Contains(WebLog.SessionExpiredId, site.Events);
    }

    [Theory]
    [InlineData("/get", true)]
    [InlineData("/plain", false)]
    public async Task A_response_that_looked_at_the_session_is_for_nobody_else(string path, bool isForbidden)
    {
        await using var site = await WebSite.StartAsync(Endpoints, options => options.UseStrictCookie());
        using var client = Client(site);
        var cookie = await BeginAsync(client);

        using var response = await SendAsync(client, path, cookie);

        Assert.Equal(isForbidden, response.Headers.CacheControl?.NoStore is true);
    }

    [Fact]
    public async Task Without_it_a_page_may_be_kept()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set");

        using var response = await browser.TryGetAsync("/get");

        Assert.Null(response.Headers.CacheControl);
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set", (HttpContext http) => http.Session.SetString("a", "x"));
        app.MapGet("/get", (HttpContext http) => http.Session.GetString("a") ?? "-");
        app.MapGet("/plain", () => "plain");
    }

    // A client with a cookie jar keeps no secure cookie from plain HTTP.
    private static HttpClient Client(WebSite site)
    {
        using var browser = site.NewBrowser();
        return new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = browser.Address };
    }

    private static async Task<string> BeginAsync(HttpClient client)
    {
        using var response = await client.GetAsync(Path("/set"), TestContext.Current.CancellationToken);
        return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static async Task<string> GetAsync(HttpClient client, string path, string cookie)
    {
        using var response = await SendAsync(client, path, cookie);
        return await WebSite.TextAsync(response);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string cookie)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Path(path));
        request.Headers.Add("Cookie", cookie);
        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Uri Path(string path) => new(path, UriKind.Relative);
}
