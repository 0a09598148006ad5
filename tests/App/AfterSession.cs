using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors.TestApp;

/// <summary>Stands around the session middleware and notes what is left of the session when a request has passed it.</summary>
public sealed class AfterSession
{
    private readonly ConcurrentDictionary<string, string> _seen = new();

    /// <summary>Watches the requests that ask for it with <c>?watch=name</c>.</summary>
    public async Task WatchAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        finally
        {
            if (http.Request.Query["watch"] is [{ } name])
            {
                _seen[name] = http.Features.Get<ISessionFeature>() is null ? "gone" : "there";
            }
        }
    }

    public string Seen(string name) => _seen.GetValueOrDefault(name, "-");
}
