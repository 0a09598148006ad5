using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace SessionActors;

/// <summary>A client with a cookie jar, as a visitor has one. It follows no redirects, so that tests see them.</summary>
public sealed class Browser : IDisposable
{
    private readonly HttpClient _client;

    public Browser(Uri address, CookieContainer? cookies = null)
    {
        Cookies = cookies ?? new CookieContainer();
        Address = address;
        var handler = new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false, MaxConnectionsPerServer = 256 };
        _client = new HttpClient(new FailingAlike { InnerHandler = handler })
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

    /// <summary>The public name of the session that the cookie opens.</summary>
    public SessionHandle Handle => SessionHandle.FromBytes(CookieBytes.AsSpan(14, 16));

    /// <summary>The part of the cookie that nobody else may learn.</summary>
    public byte[] Secret => CookieBytes[30..46];

    private byte[] CookieBytes =>
        Base64Url.DecodeFromChars(SessionCookie ?? throw new InvalidOperationException("The visitor has no session cookie."));

    /// <summary>The same visitor at another server: the same cookies.</summary>
    public Browser At(Uri address) => new(address, Cookies);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null) =>
        _client.SendAsync(new HttpRequestMessage(method, path) { Content = content });

    public Task<HttpResponseMessage> TryGetAsync(string path, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead) =>
        _client.GetAsync(new Uri(path, UriKind.Relative), until);

    /// <summary>Sends a request and leaves, as with the browser's stop button, when <paramref name="leave"/> is cancelled.</summary>
    public Task<HttpResponseMessage> GetUntilAsync(string path, CancellationToken leave) =>
        _client.GetAsync(new Uri(path, UriKind.Relative), leave);

    /// <summary>The body of a page that must be there.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var response = await TryGetAsync(path);
        var body = await response.Content.ReadAsStringAsync();
        return response.StatusCode == HttpStatusCode.OK
            ? body
            : throw new HttpRequestException($"{path} answered {(int)response.StatusCode}: {body}", null, response.StatusCode);
    }

    /// <summary>Sets a property to any bytes, under any name.</summary>
    public async Task SetAsync(string name, byte[] value)
    {
        using var response = await SendAsync(HttpMethod.Post, $"/set?name={Uri.EscapeDataString(name)}", new ByteArrayContent(value));
        response.EnsureSuccessStatusCode();
    }

    /// <summary>
    /// Begins a request that opens the session, and returns when it has. It does <paramref name="what"/> (<c>set</c>, <c>clear</c>,
    /// <c>commit</c>, <c>read</c>) once it is let go.
    /// </summary>
    public Task<HeldRequest> HoldAsync(string what, string name = "", string value = "") =>
        HoldAsync(gate => $"/slow/{gate}/{what}?name={name}&value={value}");

    /// <summary>Begins a request and returns when it stands at its gate, for whose name this has the path.</summary>
    public async Task<HeldRequest> HoldAsync(Func<string, string> path)
    {
        var gate = RequestId.New().ToString();
        var response = TryGetAsync(path(gate));
        await GetAsync($"/gates/{gate}/arrived");
        return new HeldRequest(this, gate, response);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>
    /// A server that is killed while a connection to it is made shows as a bare socket error now and then, and as a failed request else.
    /// </summary>
    private sealed class FailingAlike : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (SocketException lost)
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, "The connection was lost while it was made.", lost);
            }
        }
    }
}

/// <summary>A request that waits in the middle of its endpoint.</summary>
public sealed class HeldRequest(Browser browser, string gate, Task<HttpResponseMessage> response)
{
    public async Task<HttpResponseMessage> LetGoAsync()
    {
        await browser.GetAsync($"/gates/{gate}/open");
        return await response;
    }
}
