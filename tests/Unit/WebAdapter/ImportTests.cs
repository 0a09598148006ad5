using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Sessions of ASP.NET Core's own that come over while something fails or crosses.</summary>
public sealed class ImportTests
{
    private readonly Cache _cache = new();

    [Fact]
    public async Task Where_the_old_session_cannot_be_removed_nobody_gets_a_cookie_of_ours_and_the_next_request_goes_on()
    {
        await using var site = await StartAsync();
        using var browser = await VisitorAsync(site);
        var oldCookie = browser.SessionCookie;
        _cache.RemoveFails = true;

        using (var refused = await browser.TryGetAsync("/set/more"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(oldCookie, browser.SessionCookie);
        }

        _cache.RemoveFails = false;
        Assert.Equal("ann", await browser.GetAsync("/get/name"));
        Assert.NotEqual(oldCookie, browser.SessionCookie);
        Assert.Equal("-", await browser.GetAsync("/get/more"));
        Assert.Equal(0, _cache.Count);
    }

    [Fact]
    public async Task What_was_read_before_a_log_out_is_not_made_a_session_after_it()
    {
        await using var site = await StartAsync();
        using var browser = await VisitorAsync(site);
        using var slow = Copy(site, browser);
        var held = _cache.HoldNext();
        var reading = slow.GetAsync("/get/name");
        await Until.Async(held.HasRead, "the slow request has read the old session");
        await browser.GetAsync("/get/name");
        await browser.GetAsync("/destroy");

        held.LetGo();

        Assert.Equal("-", await reading);
        Assert.Equal("-", await slow.GetAsync("/get/name"));
    }

    [Fact]
    public async Task The_deadline_of_a_create_counts_from_when_the_old_session_was_read()
    {
        var creates = new Creates();
        await using var site = await StartAsync(services: services => services.AddSingleton<IOutgoingGrainCallFilter>(creates));
        using var browser = await VisitorAsync(site);
        var held = _cache.HoldNext();
        var reading = browser.GetAsync("/get/name");
        await Until.Async(held.HasRead, "the request has read the old session");
        var readAt = TimeProvider.System.GetTimestamp();
        await Until.TrueAsync(() => TimeProvider.System.GetElapsedTime(readAt) > TimeSpan.FromMilliseconds(300), "time passes");
        var atLeast = TimeProvider.System.GetElapsedTime(readAt);

        held.LetGo();
        await reading;

        Assert.InRange(Assert.Single(creates.Sent).UnansweredFor, atLeast, TimeSpan.MaxValue);
    }

    [Fact]
    public async Task A_request_that_finds_the_session_made_by_another_one_goes_on_in_it()
    {
        await using var site = await StartAsync();
        using var browser = await VisitorAsync(site);
        using var slow = Copy(site, browser);
        var held = _cache.HoldNext();
        var reading = slow.GetAsync("/get/name");
        await Until.Async(held.HasRead, "the slow request has read the old session");
        await browser.GetAsync("/set/name");

        held.LetGo();

        Assert.Equal("x", await reading);
        Assert.Equal(browser.Handle, slow.Handle);
        Assert.Single(site.Events, WebLog.SessionImportedId);
    }

    [Fact]
    public async Task A_cookie_of_ours_asks_no_cache_and_is_no_refused_one_when_its_session_has_ended()
    {
        await using var site = await StartAsync();
        using var browser = site.NewBrowser();
        await browser.GetAsync("/set/name");
        using var other = Copy(site, browser);
        await browser.GetAsync("/destroy");

        Assert.Equal("-", await other.GetAsync("/get/name"));

        Assert.Equal(0, _cache.Reads);
        Assert.DoesNotContain(WebLog.CookieRefusedId, site.Events);
    }

    [Fact]
    public async Task An_old_cookie_whose_session_is_gone_is_looked_up_once_a_minute()
    {
        await using var site = await StartAsync();
        using var browser = await VisitorAsync(site);
        _cache.Clear();

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("-", await browser.GetAsync("/get/name"));
        }

        Assert.Equal(1, _cache.Reads);
        site.Time.Advance(TimeSpan.FromMinutes(1));
        await browser.GetAsync("/get/name");
        Assert.Equal(2, _cache.Reads);
    }

    [Fact]
    public async Task An_endpoint_whose_token_is_in_a_header_looks_at_no_old_cookie()
    {
        await using var site = await StartAsync();
        using var browser = await VisitorAsync(site);

        Assert.Equal("-", await browser.GetAsync("/api"));

        Assert.Equal(0, _cache.Reads);
    }

    [Theory]
    [InlineData("/", "/old")]
    [InlineData("/new", "/")]
    public async Task An_old_cookie_of_another_path_is_deleted_and_ours_is_sent(string ours, string old)
    {
        await using var site = await StartAsync(options =>
        {
            options.Cookie.Path = ours;
            options.ImportFrom!.Cookie.Path = old;
        });
        using var browser = await VisitorAsync(site);

        using var response = await browser.TryGetAsync("/get/name");

        var cookies = response.Headers.GetValues("Set-Cookie").ToArray();
        Assert.Equal(2, cookies.Length);
        Assert.Contains(cookies, c => c.Contains("expires=Thu, 01 Jan 1970", StringComparison.Ordinal) && c.Contains($"path={old};"));
        Assert.Contains(cookies, c => !c.Contains("1970", StringComparison.Ordinal) && c.Contains($"path={ours};"));
    }

    [Fact]
    public async Task Where_something_is_missing_the_start_says_what()
    {
        var noCache = await Assert.ThrowsAsync<InvalidOperationException>(
            () => WebSite.StartAsync(Endpoints, options => options.ImportFrom = new SessionImportOptions { CacheKey = "old" }));
        var noProtection = await Assert.ThrowsAsync<InvalidOperationException>(() => WebSite.StartAsync(
            Endpoints, options => options.ImportFrom = new(), services: services => services.AddSingleton<IDistributedCache>(_cache)));
        var noName = await Assert.ThrowsAsync<OptionsValidationException>(() => WebSite.StartAsync(Endpoints, options =>
        {
            options.ImportFrom = new();
            options.ImportFrom.Cookie.Name = "two words";
        }));

        Assert.Contains("IDistributedCache under the key 'old'", noCache.Message, StringComparison.Ordinal);
        Assert.Contains("AddDataProtection()", noProtection.Message, StringComparison.Ordinal);
        Assert.Contains("ImportFrom:Cookie:Name", noName.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_keys_are_out_of_reach_the_answer_is_503_and_the_cookie_stays()
    {
        var keys = new UnreachableKeys();
        await using var site = await StartAsync(OfAnotherName, services => keys.AddTo(services));
        using var browser = await VisitorAsync(site);
        browser.Cookies.Add(browser.Address, new Cookie("old", browser.SessionCookie, "/"));
        keys.Fail = new CryptographicException("The key ring failed.", new IOException("no share"));

        using (var refused = await browser.TryGetAsync("/set/name"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.False(refused.Headers.Contains("Set-Cookie"));
        }

        keys.Fail = null;
        Assert.Equal("ann", await browser.GetAsync("/get/name"));
        Assert.Null(browser.Cookies.GetCookies(browser.Address)["old"]);
    }

    [Fact]
    public async Task A_cookie_that_nobody_can_read_stays_until_somebody_can()
    {
        var keys = new UnreachableKeys();
        await using var site = await StartAsync(OfAnotherName, services => keys.AddTo(services));
        using var browser = await VisitorAsync(site);
        browser.Cookies.Add(browser.Address, new Cookie("old", browser.SessionCookie, "/"));
        keys.Fail = new CryptographicException("It is of another application.");

        Assert.Equal("-", await browser.GetAsync("/get/name"));
        await browser.GetAsync("/set/name");

        keys.Fail = null;
        Assert.NotNull(browser.Cookies.GetCookies(browser.Address)["old"]);
    }

    [Fact]
    public async Task A_visitor_without_consent_keeps_the_old_cookie_and_the_session()
    {
        await using var site = await StartAsync(
            OfAnotherName, around: app => app.UseCookiePolicy(new CookiePolicyOptions { CheckConsentNeeded = _ => true }));
        using var browser = await VisitorAsync(site);
        browser.Cookies.Add(browser.Address, new Cookie("old", browser.SessionCookie, "/"));

        for (var times = 0; times < 2; times++)
        {
            using var response = await browser.TryGetAsync("/get/name");
            Assert.False(response.Headers.Contains("Set-Cookie"));
            Assert.Equal("ann", await WebSite.TextAsync(response));
        }
    }

    private static void OfAnotherName(ActorSessionOptions options) => options.ImportFrom!.Cookie.Name = "old";

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
        app.MapGet("/api", (HttpContext http) => http.Session.GetString("name") ?? "-").WithSessionTransport(SessionTransport.Header);
        app.MapGet("/set/{name}", (HttpContext http, string name) => http.Session.SetString(name, "x"));
        app.MapGet("/destroy", (HttpContext http) => http.GetActorSession().DestroyAsync());
    }

    private Task<WebSite> StartAsync(
        Action<ActorSessionOptions>? configure = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? around = null) =>
        WebSite.StartAsync(
            Endpoints,
            options =>
            {
                options.ImportFrom = new SessionImportOptions { CacheKey = "old" };
                configure?.Invoke(options);
            },
            around,
            services: all =>
            {
                all.AddKeyedSingleton<IDistributedCache>("old", _cache);
                all.AddDataProtection().UseEphemeralDataProtectionProvider();
                services?.Invoke(all);
            });

    private static Browser Copy(WebSite site, Browser visitor)
    {
        var copy = site.NewBrowser();
        copy.SessionCookie = visitor.SessionCookie;
        return copy;
    }

    /// <summary>A visitor with a session that ASP.NET Core's own middleware has left.</summary>
    private async Task<Browser> VisitorAsync(WebSite site)
    {
        const string key = "382c74c3-721d-4f34-80e5-57657b6cbc27";
        var session = new DistributedSessionStore(_cache, NullLoggerFactory.Instance).Create(
            key, TimeSpan.FromMinutes(20), Timeout.InfiniteTimeSpan, () => true, isNewSessionKey: true);
        session.SetString("name", "ann");
        await session.CommitAsync();
        _cache.Reads = 0;
        var protector = site.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("SessionMiddleware");
        var browser = site.NewBrowser();
        browser.SessionCookie = Uri.EscapeDataString(
            Convert.ToBase64String(protector.Protect(Encoding.UTF8.GetBytes(key))).TrimEnd('='));
        return browser;
    }

    /// <summary>Data Protection whose keys can be out of reach.</summary>
    private sealed class UnreachableKeys : IDataProtectionProvider
    {
        private readonly EphemeralDataProtectionProvider _inner = new();

        public Exception? Fail { get; set; }

        public void AddTo(IServiceCollection services) => services.AddSingleton<IDataProtectionProvider>(this);

        public IDataProtector CreateProtector(string purpose) => new Protector(this, _inner.CreateProtector(purpose));

        private sealed class Protector(UnreachableKeys keys, IDataProtector inner) : IDataProtector
        {
            public IDataProtector CreateProtector(string purpose) => new Protector(keys, inner.CreateProtector(purpose));

            public byte[] Protect(byte[] plaintext) => inner.Protect(plaintext);

            public byte[] Unprotect(byte[] protectedData) =>
                keys.Fail is { } failure ? throw failure : inner.Unprotect(protectedData);
        }
    }

    /// <summary>Requests that create a session, as they are sent.</summary>
    private sealed class Creates : IOutgoingGrainCallFilter
    {
        public ConcurrentQueue<SessionRequest> Sent { get; } = new();

        public Task Invoke(IOutgoingGrainCallContext context)
        {
            if (context.InterfaceMethod.Name == nameof(ISessionGrain.CreateAsync))
            {
                Sent.Enqueue((SessionRequest)context.Request.GetArgument(1)!);
            }

            return context.Invoke();
        }
    }

    /// <summary>A read that has happened, and whose answer is held back.</summary>
    private sealed class Held
    {
        private readonly TaskCompletionSource _hasRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HasRead => _hasRead.Task;

        public void LetGo() => _letGo.TrySetResult();

        public Task PassAsync()
        {
            _hasRead.TrySetResult();
            return _letGo.Task;
        }
    }

    /// <summary>The cache that has the old sessions.</summary>
    private sealed class Cache : IDistributedCache
    {
        private readonly MemoryCache _entries = new(new MemoryCacheOptions());
        private Held? _next;

        public bool RemoveFails { get; set; }

        public int Reads { get; set; }

        public int Count => _entries.Count;

        public void Clear() => _entries.Clear();

        public Held HoldNext() => _next = new Held();

        public byte[]? Get(string key) => _entries.Get<byte[]>(key);

        public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
        {
            Reads++;
            var value = Get(key);
            if (Interlocked.Exchange(ref _next, null) is { } held)
            {
                await held.PassAsync();
            }

            return value;
        }

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => _entries.Set(key, value);

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Set(key, value, options);
            return Task.CompletedTask;
        }

        public void Refresh(string key) => Get(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => GetAsync(key, token);

        public void Remove(string key) => _entries.Remove(key);

        public Task RemoveAsync(string key, CancellationToken token = default)
        {
            if (RemoveFails)
            {
                return Task.FromException(new IOException("The cache is out of reach."));
            }

            Remove(key);
            return Task.CompletedTask;
        }
    }
}
