using System.Net;

namespace SessionActors;

/// <summary>A client with a cookie jar, as a visitor has one. It follows no redirects, so that tests see them.</summary>
public sealed class Browser : IDisposable
{
    private readonly HttpClient _client;

    public Browser(Uri address, CookieContainer? cookies = null)
    {
        Cookies = cookies ?? new CookieContainer();
        Address = address;
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false, MaxConnectionsPerServer = 256 })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public Uri Address { get; }

    public CookieContainer Cookies { get; }

    /// <summary>The value of the session cookie; null without one.</summary>
    public string? SessionCookie
    {
        get => Cookies.GetCookies(Address)[".AspNetCore.Session"]?.Value;
        set => Cookies.Add(Address, new Cookie(".AspNetCore.Session", value, "/"));
    }

    /// <summary>The same visitor at another server: the same cookies.</summary>
    public Browser At(Uri address) => new(address, Cookies);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null) =>
        _client.SendAsync(new HttpRequestMessage(method, path) { Content = content });

    public Task<HttpResponseMessage> TryGetAsync(string path) => _client.GetAsync(new Uri(path, UriKind.Relative));

    /// <summary>The body of a page that must be there.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var response = await TryGetAsync(path);
        var body = await response.Content.ReadAsStringAsync();
        return response.StatusCode == HttpStatusCode.OK
            ? body
            : throw new HttpRequestException($"{path} answered {(int)response.StatusCode}: {body}", null, response.StatusCode);
    }

    public void Dispose() => _client.Dispose();
}
