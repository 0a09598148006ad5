using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>Clients that keep the session's token themselves.</summary>
public sealed class HeaderTransportTests
{
    private const string Header = "Session-Token";

    [Fact]
    public async Task The_token_comes_and_goes_in_the_header_and_no_cookie_is_sent()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var client = Client(site);

        using var begun = await SendAsync(client, "/api/set/x", token: null);
        var token = Assert.Single(begun.Headers.GetValues(Header));

        Assert.False(begun.Headers.Contains("Set-Cookie"));
        Assert.True(begun.Headers.CacheControl!.NoStore);
        using var read = await SendAsync(client, "/api/get", token);
        Assert.Equal("x", await WebSite.TextAsync(read));
        Assert.False(read.Headers.Contains(Header));
    }

    [Fact]
    public async Task A_new_secret_replaces_the_clients_and_an_end_takes_it()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var client = Client(site);
        using var begun = await SendAsync(client, "/api/set/x", token: null);
        var old = Assert.Single(begun.Headers.GetValues(Header));

        using var rotated = await SendAsync(client, "/api/regenerate", old);
        var token = Assert.Single(rotated.Headers.GetValues(Header));

        Assert.Equal("-", await TextAsync(client, "/api/get", old));
        Assert.Equal("x", await TextAsync(client, "/api/get", token));
        using var ended = await SendAsync(client, "/api/destroy", token);
        Assert.Equal([""], ended.Headers.GetValues(Header));
        Assert.Equal("-", await TextAsync(client, "/api/get", token));
    }

    [Fact]
    public async Task Neither_takes_what_the_other_carries()
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var client = Client(site);
        using var begun = await SendAsync(client, "/api/set/x", token: null);
        var token = Assert.Single(begun.Headers.GetValues(Header));

        Assert.Equal("-", await TextAsync(client, "/get", token));
        using var browser = site.NewBrowser();
        browser.SessionCookie = token;
        Assert.Equal("-", await browser.GetAsync("/api/get"));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_token_that_is_none_of_ours_opens_nothing(string token)
    {
        await using var site = await WebSite.StartAsync(Endpoints);
        using var client = Client(site);

        Assert.Equal("-", await TextAsync(client, "/api/get", token));

        Assert.DoesNotContain("OpenAsync", site.Calls);
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get", Get);
        var api = app.MapGroup("/api").WithSessionTransport(SessionTransport.Header);
        api.MapGet("/get", Get);
        api.MapGet("/set/{value}", (HttpContext http, string value) => http.Session.SetString("a", value));
        api.MapGet("/regenerate", (HttpContext http) => http.GetActorSession().RegenerateAsync());
        api.MapGet("/destroy", (HttpContext http) => http.GetActorSession().DestroyAsync());

        static string Get(HttpContext http) => http.Session.GetString("a") ?? "-";
    }

    private static HttpClient Client(WebSite site)
    {
        using var browser = site.NewBrowser();
        return new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = browser.Address };
    }

    private static async Task<string> TextAsync(HttpClient client, string path, string token)
    {
        using var response = await SendAsync(client, path, token);
        return await WebSite.TextAsync(response);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation(Header, token);
        }

        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
