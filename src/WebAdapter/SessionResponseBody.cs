using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace SessionActors;

/// <summary>
/// Stands before the response's body and lets nothing pass until the session is committed. A server calls the <c>OnStarting</c> callbacks
/// with the first byte, and what they say cannot hold that byte back: a status set there goes out with the page. So the response is
/// started here, before the first byte; if the commit that is part of it fails, the page is discarded and the problem sent instead.
/// <para>
/// What is written in ways that cannot wait (synchronously, or into a buffer of the server's or a middleware's before there was a change)
/// cannot be taken back. Then the failure is thrown, and the server answers 500 with an empty body.
/// </para>
/// </summary>
internal sealed class SessionResponseBody(HttpContext context, SessionDoor door, SessionVisit visit, IHttpResponseBodyFeature inner)
    : IHttpResponseBodyFeature
{
    private SessionResponseStream? _stream;
    private SessionResponseWriter? _writer;
    private StringValues _endpointEncoding;
    private byte[]? _problem;
    private bool _isStarted = context.Response.HasStarted;
    private bool _isStarting;
    private bool _isOver;
    private bool _hasLetThrough;

    public IHttpResponseBodyFeature Inner => inner;

    /// <summary>Whether what is written goes straight through.</summary>
    public bool IsOpen => _isStarted && _problem is null;

    /// <summary>Whether what is written is thrown away, because the client gets the problem instead.</summary>
    public bool IsDiscarding => _problem is not null;

    /// <summary>Whether something that cannot wait would have to be taken back if the commit failed.</summary>
    public bool HasSomethingToCommit => !_isStarted && visit.HasChanges;

    public Stream Stream => IsOpen ? inner.Stream : _stream ??= new SessionResponseStream(this);

    public PipeWriter Writer => IsOpen && _writer is null ? inner.Writer : _writer ??= new SessionResponseWriter(this);

    /// <summary>Something passed that can no longer be taken back.</summary>
    public void LetThrough()
    {
        _hasLetThrough |= !_isStarted;
        _writer?.PassOn();
    }

    public void DisableBuffering() => inner.DisableBuffering();

    /// <summary>Starts the response, and with it commits the session. What was held back goes on, or the problem in its place.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_isStarted)
        {
            return Task.CompletedTask;
        }

        // A stream that stands in the server's place may keep the page and start nothing, or take down the headers of a page for others
        // before the callbacks run (response caching does): it must know what becomes of the page.
        return inner is StreamResponseBodyFeature && visit.HasChanges
            ? CommitAndStartAsync(cancellationToken)
            : StartInnerAsync(cancellationToken);
    }

    public async Task CompleteAsync()
    {
        await StartAsync();
        await inner.CompleteAsync();
    }

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        if (!IsDiscarding)
        {
            await inner.SendFileAsync(path, offset, count, cancellationToken);
        }
    }

    /// <summary>The callback that runs last before the headers leave.</summary>
    public Task OnStartingAsync() => !IsDiscarding && visit.HasChanges ? CommitAndSendCookieAsync() : visit.SendCookieAsync();

    /// <summary>
    /// The endpoint has returned. Without a response so far, the commit is made here and nothing is started, so that middleware around this
    /// one can still write. Otherwise what was set while streaming is committed.
    /// </summary>
    public Task FinishAsync()
    {
        _isOver = true;
        if (!IsDiscarding && visit.HasChanges)
        {
            return CommitAtEndAsync();
        }

        PassOnAtEnd();
        return Task.CompletedTask;
    }

    /// <summary>
    /// The endpoint threw. A new session is not created; the changes to an existing one are kept, as ASP.NET Core does. Returns true where
    /// the client was told, false where the exception has to go on.
    /// </summary>
    public async Task<bool> FailAsync(Exception e)
    {
        _isOver = true;
        _writer?.Discard();
        if (visit.Phase == VisitPhase.New || e is SessionException)
        {
            visit.Forget();
        }
        else if (visit.HasChanges)
        {
            // Its failure is logged; the client is told of the first one.
            await visit.SaveAsync();
        }

        if (!SessionProblem.Answers(e) || context.Response.HasStarted || _hasLetThrough)
        {
            return false;
        }

        await WriteProblemAsync(e);
        return true;
    }

    private async Task CommitAndStartAsync(CancellationToken cancellationToken)
    {
        if (await visit.SaveAsync() is { } failure)
        {
            if (_hasLetThrough)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            _problem = SessionProblem.Apply(context.Response, failure, context.Response.Headers.ContentEncoding);
        }

        await StartInnerAsync(cancellationToken);
    }

    private Task StartInnerAsync(CancellationToken cancellationToken)
    {
        _endpointEncoding = context.Response.Headers.ContentEncoding;
        _isStarting = true;
        try
        {
            var starting = inner.StartAsync(cancellationToken);
            if (!starting.IsCompletedSuccessfully)
            {
                return FinishStartAsync(starting);
            }
        }
        catch
        {
            _isStarting = false;
            throw;
        }

        return StartedAsync();
    }

    private async Task FinishStartAsync(Task starting)
    {
        try
        {
            await starting;
        }
        catch
        {
            _isStarting = false;
            throw;
        }

        await StartedAsync();
    }

    private Task StartedAsync()
    {
        _isStarting = false;
        _isStarted = true;
        if (_problem is { } problem)
        {
            _writer?.Discard();
            return inner.Writer.WriteAsync(problem).AsTask();
        }

        // Somebody around keeps the page back.
        _hasLetThrough |= !context.Response.HasStarted;
        _writer?.PassOn();
        return Task.CompletedTask;
    }

    private async Task CommitAndSendCookieAsync()
    {
        if (await visit.SaveAsync() is { } failure)
        {
            if (_hasLetThrough || (!_isStarting && !_isOver))
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            var body = SessionProblem.Apply(context.Response, failure, _endpointEncoding);
            if (_isStarting)
            {
                _problem = body;
            }
            else
            {
                // The endpoint wrote nothing, and nobody asks us for a body any more.
                _problem = [];
                context.Response.ContentLength = 0;
            }
        }

        // Also beside a problem: a session that was created or got a new secret before that is lost without its cookie.
        await visit.SendCookieAsync();
    }

    private async Task CommitAtEndAsync()
    {
        var failure = await visit.SaveAsync();
        if (failure is null)
        {
            PassOnAtEnd();
        }
        else if (context.Response.HasStarted)
        {
            door.Log.LateCommitFailed(visit.Connection.Handle);
            context.Abort();
        }
        else if (_hasLetThrough)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
        else
        {
            _writer?.Discard();
            await WriteProblemAsync(failure);
        }
    }

    private void PassOnAtEnd()
    {
        if (_writer is { IsHolding: true })
        {
            LetThrough();
        }
    }

    private async Task WriteProblemAsync(Exception e)
    {
        _problem = SessionProblem.Apply(context.Response, e, context.Response.Headers.ContentEncoding);
        await inner.Writer.WriteAsync(_problem);
    }
}
