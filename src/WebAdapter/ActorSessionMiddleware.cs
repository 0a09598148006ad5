using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Session;

namespace SessionActors;

/// <summary>
/// Gives each request its session.
/// <code>
/// 1. endpoint's metadata ─► no session: leave
/// 2. cookie ─► none: a new session, which exists nowhere
/// 3. cookie ─► verified ─► grain: open ─► snapshot
/// 4. session and body feature in place
/// 5. endpoint
///      └─ first byte ─► OnStarting: commit, cookie ─► the page, or the problem
/// 6. commit what is left (a response without a body; changes made while streaming)
/// 7. features as before, whatever happened
/// </code>
/// </summary>
internal sealed class ActorSessionMiddleware(RequestDelegate next, SessionDoor door)
{
    public Task InvokeAsync(HttpContext context)
    {
        // 1. An endpoint without a session costs nothing, not even an asynchronous method.
        var access = context.GetEndpoint()?.Metadata.GetMetadata<SessionAccessAttribute>();
        return access is { Access: SessionAccess.None } ? next(context) : RunAsync(context, access);
    }

    private async Task RunAsync(HttpContext context, SessionAccessAttribute? access)
    {
        // 2. Most visitors without a cookie never get one.
        var visit = new SessionVisit(door, context);
        visit.OnConflict = access?.SaidOnConflict ?? visit.OnConflict;
        var body = new SessionResponseBody(context, door, visit, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        if (door.Cookie.Read(context) is { } cookie)
        {
            // 3. Opened before the endpoint runs, so that reading the session never blocks a thread.
            try
            {
                await door.OpenAsync(visit, cookie, access?.Slide ?? true);
            }
            catch (Exception e) when (door.IgnoresFailure || SessionProblem.Answers(e))
            {
                door.Log.OpeningFailed(e);
                visit.BeUnavailable();
                if (!door.IgnoresFailure)
                {
                    await body.FailAsync(e);
                    return;
                }
            }
        }

        // 4. Callbacks run last in, first out: registered before the endpoint's own, this one sees what those have set (TempData does).
        context.Response.OnStarting(static state => ((SessionResponseBody)state).OnStartingAsync(), body);
        var outer = context.Features.Get<ISessionFeature>();
        context.Features.Set<ISessionFeature>(
            new SessionFeature { Session = new ActorSession(visit, access is { Access: SessionAccess.ReadOnly }) });
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            // 5. and 6.
            await next(context);
            await body.FinishAsync();
        }
        catch (Exception e)
        {
            if (!await body.FailAsync(e))
            {
                throw;
            }
        }
        finally
        {
            // 7.
            context.Features.Set(outer);
            context.Features.Set(body.Inner);
        }
    }
}
