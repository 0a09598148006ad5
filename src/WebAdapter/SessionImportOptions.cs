using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;

namespace SessionActors;

/// <summary>
/// Where the sessions are that ASP.NET Core's own middleware (<c>AddSession</c>, <c>UseSession</c>) has left. Its cookie is protected by
/// Data Protection, which has to have the keys and the application name that it had then.
/// </summary>
public sealed class SessionImportOptions
{
    /// <summary>
    /// The old cookie, as <c>SessionOptions.Cookie</c> described it. Default: <c>.AspNetCore.Session</c>, path <c>/</c>, HttpOnly,
    /// SameSite=Lax. It is deleted once ours has taken its place, unless name, path and domain are those of ours.
    /// </summary>
    public CookieBuilder Cookie { get; set; } = new()
    {
        Name = ".AspNetCore.Session",
        Path = "/",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
    };

    /// <summary>
    /// The key of the <see cref="IDistributedCache"/> that has the old sessions, where it is a keyed service. Default null: the container's
    /// only one.
    /// </summary>
    public object? CacheKey { get; set; }
}
