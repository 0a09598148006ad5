using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace SessionActors;

/// <summary>
/// The response's body as a pipe; see <see cref="SessionResponseBody"/>. What a serializer puts into the pipe's memory before it flushes
/// is held in a buffer of ours while the session has something to commit, because the server's cannot be emptied again.
/// </summary>
internal sealed class SessionResponseWriter(SessionResponseBody body) : PipeWriter
{
    // As much as the server's own memory takes at once. A serializer that fails before that has handed nothing over, and an error page
    // that follows does not begin with the rest of another; with less, a change to the session would make the difference.
    private const int ServerBlock = 4096;

    private ArrayBufferWriter<byte>? _held;
    private bool _isHolding;

    /// <summary>Whether something is held back.</summary>
    public bool IsHolding => _held is { WrittenCount: > 0 };

    public override bool CanGetUnflushedBytes => Inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => (_held?.WrittenCount ?? 0) + Inner.UnflushedBytes;

    private PipeWriter Inner => body.Inner.Writer;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Holds() ? _held.GetMemory(sizeHint) : Inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => Holds() ? _held.GetSpan(sizeHint) : Inner.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        if (_isHolding)
        {
            _held!.Advance(bytes);
        }
        else
        {
            body.LetThrough();
            Inner.Advance(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!body.IsOpen)
        {
            return StartAndFlushAsync(cancellationToken);
        }

        PassOn();
        return Inner.FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (!body.IsOpen)
        {
            return StartAndWriteAsync(source, cancellationToken);
        }

        PassOn();
        return Inner.WriteAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush() => Inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // What is held cannot be committed synchronously; it goes out at the end of the request, and the server completes its pipe then.
        if (body.IsOpen)
        {
            PassOn();
            Inner.Complete(exception);
        }
    }

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        await body.StartAsync();
        PassOn();
        await Inner.CompleteAsync(exception);
    }

    /// <summary>Hands what is held to the server.</summary>
    public void PassOn()
    {
        if (_held is { WrittenCount: > 0 })
        {
            if (!body.IsDiscarding)
            {
                Inner.Write(_held.WrittenSpan);
            }

            _held.Clear();
        }
    }

    /// <summary>Drops what is held.</summary>
    public void Discard() => _held?.Clear();

    [MemberNotNullWhen(true, nameof(_held))]
    private bool Holds()
    {
        if (body.IsDiscarding)
        {
            Discard();
        }

        _isHolding = body.IsDiscarding || body.HasSomethingToCommit || _held is { WrittenCount: > 0 };
        if (!_isHolding)
        {
            return false;
        }

        _held ??= new ArrayBufferWriter<byte>(ServerBlock);
        return true;
    }

    private async ValueTask<FlushResult> StartAndFlushAsync(CancellationToken cancellationToken)
    {
        await body.StartAsync(cancellationToken);
        PassOn();
        return body.IsDiscarding ? default : await Inner.FlushAsync(cancellationToken);
    }

    private async ValueTask<FlushResult> StartAndWriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        await body.StartAsync(cancellationToken);
        PassOn();
        return body.IsDiscarding ? default : await Inner.WriteAsync(source, cancellationToken);
    }
}
