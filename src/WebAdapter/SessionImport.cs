using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace SessionActors;

/// <summary>A session of ASP.NET Core's own, as its cookie names it, and what it is to become here.</summary>
/// <param name="Key">Its key in the cache.</param>
/// <param name="Token">The handle and the secret of ours.</param>
internal sealed record OldSession(string Key, SessionToken Token)
{
    /// <summary>
    /// Handle and secret are derived, so that requests of one visitor that come at once, at several servers, make one session and all of
    /// them can open it, with nothing to agree on and nobody to wait for.
    /// <para>
    /// The handle comes from the key, which is no secret: it stands in the cache and in ASP.NET Core's logs. The secret comes from the
    /// protected bytes of the cookie, which are random and only the browser has them. So whoever reads the old cache or the new store can
    /// still open nothing; whoever has the old cookie had the session already. The middleware sent one cookie for a session and never
    /// another, so all the visitor's requests derive the same secret.
    /// </para>
    /// </summary>
    public static OldSession Of(string key, ReadOnlySpan<byte> cookie)
    {
        Span<byte> name = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> secret = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. "SessionActors import, session: "u8, .. Encoding.UTF8.GetBytes(key)], name);
        SHA256.HashData([.. "SessionActors import, secret: "u8, .. cookie], secret);
        return new OldSession(key, SessionToken.Of(SessionHandle.FromBytes(name[..SessionHandle.ByteLength]), secret));
    }

    /// <summary>Stars.</summary>
    public override string ToString() => "***";
}

/// <summary>
/// The sessions that ASP.NET Core's own middleware has left: reads its cookies, and its sessions by its own <see cref="ISessionStore"/>.
/// What that would log names keys, and is not logged.
/// </summary>
internal sealed class SessionImport
{
    // The key is a GUID as text; the middleware takes nothing else for one.
    private const int KeyLength = 36;

    private readonly IDistributedCache _cache;
    private readonly DistributedSessionStore _sessions;
    private readonly IDataProtector _protector;
    private readonly CookieBuilder _cookie;
    private readonly bool _hasPlaceOfOurs;
    private readonly TimeSpan _timeout;
    private readonly ILogger _log;

    public SessionImport(SessionImportOptions from, ActorSessionOptions options, IServiceProvider services, ILogger log)
    {
        _cache = (from.CacheKey is { } key
            ? services.GetKeyedService<IDistributedCache>(key)
            : services.GetService<IDistributedCache>()) ?? throw new InvalidOperationException(
                "SessionActors:ImportFrom finds no IDistributedCache"
                + (from.CacheKey is null ? "" : $" under the key '{from.CacheKey}'")
                + ". Register the one that has the old sessions, with AddStackExchangeRedisCache for instance, or leave ImportFrom out.");
        var protection = services.GetService<IDataProtectionProvider>() ?? throw new InvalidOperationException(
            "SessionActors:ImportFrom finds no Data Protection, which reads the old cookies. Call AddDataProtection() with the keys and "
            + "the application name that the application had, or leave ImportFrom out.");
        _protector = protection.CreateProtector(nameof(SessionMiddleware));
        _sessions = new DistributedSessionStore(_cache, NullLoggerFactory.Instance);
        (_cookie, _timeout, _log) = (from.Cookie, options.IOTimeout, log);
        _hasPlaceOfOurs = _cookie.Name == options.Cookie.Name && (_cookie.Path ?? "/") == (options.Cookie.Path ?? "/")
            && string.Equals(_cookie.Domain, options.Cookie.Domain, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The value of the cookie with the old one's name; null without one.</summary>
    public string? ReadCookie(HttpContext context) => context.Request.Cookies[_cookie.Name!];

    /// <summary>Has the browser forget the old cookie, unless that would be ours.</summary>
    public void DeleteCookie(HttpContext context)
    {
        if (!_hasPlaceOfOurs)
        {
            context.Response.Cookies.Delete(_cookie.Name!, _cookie.Build(context));
            SessionCarrier.ForbidCaching(context);
        }
    }

    /// <summary>The session that an old cookie names; null where the text is none. Whether it is still there says only the cache.</summary>
    /// <exception cref="SessionUnavailableException">The keys that it is protected by are out of reach.</exception>
    public OldSession? Recognize(string cookie)
    {
        // Base64 without its padding.
        var bytes = new byte[cookie.Length];
        if (!Convert.TryFromBase64String(cookie.PadRight((cookie.Length + 3) / 4 * 4, '='), bytes, out var length))
        {
            return null;
        }

        try
        {
            var key = Encoding.UTF8.GetString(_protector.Unprotect(bytes[..length]));
            return key.Length == KeyLength ? OldSession.Of(key, bytes.AsSpan(0, length)) : null;
        }
        catch (CryptographicException e) when (e.InnerException is null or CryptographicException)
        {
            return null;
        }
        catch (CryptographicException e)
        {
            // What keeps Data Protection from its keys comes out as if the cookie were wrong.
            throw SessionUnavailableException.NotApplied(
                "of an old cookie", "Data Protection cannot read its keys (SessionActors:ImportFrom).", e);
        }
    }

    /// <summary>What an old session holds; null where it is not there (any more), or holds nothing.</summary>
    /// <exception cref="SessionUnavailableException">The cache is out of reach.</exception>
    public async Task<SessionDelta?> LoadAsync(OldSession old)
    {
        var session = _sessions.Create(old.Key, Timeout.InfiniteTimeSpan, _timeout, static () => false, isNewSessionKey: true);
        try
        {
            await session.LoadAsync();
        }
        catch (Exception e) when (e is EndOfStreamException or OverflowException)
        {
            _log.OldSessionDamaged(old.Token.Handle, e);
            return null;
        }
        catch (Exception e)
        {
            throw SessionUnavailableException.NotApplied(
                old.Token.Handle.LogName, "the cache that has it from before (SessionActors:ImportFrom) is out of reach.", e);
        }

        var delta = SessionDelta.Empty;
        foreach (var name in session.Keys)
        {
            delta = delta.Set(name, session.Get(name));
        }

        return delta.Sets.IsEmpty ? null : delta;
    }

    /// <summary>Removes an old session from its cache.</summary>
    /// <exception cref="SessionUnavailableException">The cache is out of reach: it may still be there.</exception>
    public async Task RemoveAsync(OldSession old)
    {
        try
        {
            await _cache.RemoveAsync(old.Key).WaitAsync(_timeout, TimeProvider.System);
        }
        catch (Exception e)
        {
            throw SessionUnavailableException.NotApplied(
                old.Token.Handle.LogName, "the cache that has it from before (SessionActors:ImportFrom) does not remove it.", e);
        }
    }
}
