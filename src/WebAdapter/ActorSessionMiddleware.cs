using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>
/// Gives each request its session.
/// <code>
/// 1. endpoint's metadata ─► no session: leave
/// 2. cookie ─► none: a new session, which exists nowhere
/// 3. cookie ─► verified ─► grain: open (exclusive: when it is its turn) ─► snapshot
///    old cookie (ImportFrom) ─► its session is made ours first, if it is still in its cache
/// 4. session and body feature in place
/// 5. endpoint
///      └─ first byte ─► OnStarting: commit, cookie ─► the page, or the problem
/// 6. commit what is left (a response without a body; changes made while streaming)
/// 7. features as before and the next one's turn, whatever happened
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
        // 2. Most visitors without a cookie never get one. A request that passes here again, for an error page or because this was added
        // twice, goes on with the session that it has: another would not see what this one did, and their cookies would compete.
        var earlier = context.Features.Get<SessionVisit>();
        var visit = earlier ?? new SessionVisit(door, context);
        context.Features.Set(visit);
        visit.OnConflict = access?.SaidOnConflict ?? visit.OnConflict;
        var body = new SessionResponseBody(context, door, visit, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        var (cookie, oldCookie) = (visit.Token, visit.OldCookie);
        if (earlier is null && (cookie is not null || oldCookie is not null))
        {
            // 3. Opened before the endpoint runs, so that reading the session never blocks a thread. Whatever is to be ignored, an
            // exclusive endpoint relies on being alone.
            visit.IsExclusive = access is { Access: SessionAccess.Exclusive };
            var goesOnWithout = door.IgnoresFailure && !visit.IsExclusive;
            try
            {
                var (slide, aborted) = (access?.Slide ?? true, visit.IsExclusive ? context.RequestAborted : default);
                if (cookie is not null)
                {
                    await door.OpenAsync(visit, cookie, slide, aborted);
                }

                if (oldCookie is not null && visit.Phase == VisitPhase.New)
                {
                    await door.ImportAsync(visit, oldCookie, slide, aborted);
                }
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The visitor has left, which servers know, or a time-out of the application's is over, which has an answer of its own.
                throw;
            }
            catch (Exception e) when (goesOnWithout || SessionProblem.Answers(e))
            {
                door.NotOpened(e);
                visit.BeUnavailable();
                if (!goesOnWithout)
                {
                    if (await body.FailAsync(e))
                    {
                        return;
                    }

                    throw;
                }
            }
        }

        // 4. Callbacks run last in, first out: registered before the endpoint's own, this one sees what those have set (TempData does).
        if (!context.Response.HasStarted)
        {
            context.Response.OnStarting(static state => ((SessionResponseBody)state).OnStartingAsync(), body);
        }

        var outer = context.Features.Get<ISessionFeature>();
        context.Features.Set<ISessionFeature>(
            new VisitFeature(visit, new ActorSession(visit, access is { Access: SessionAccess.ReadOnly })));
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
            if (earlier is null)
            {
                visit.End();
            }
        }
    }

    /// <summary>Shows the session to the application, and notices that it looks.</summary>
    private sealed class VisitFeature(SessionVisit visit, ISession session) : ISessionFeature
    {
        public ISession Session
        {
            get
            {
                visit.IsUsed = true;
                return session;
            }
            set => session = value;
        }
    }
}
