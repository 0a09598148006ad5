using System.Net;
using System.Net.Sockets;

namespace SessionActors;

/// <summary>One connection through a <see cref="FaultProxy"/>.</summary>
internal sealed class FaultLink(FaultProxy proxy, TcpClient client)
{
    private readonly TcpClient _server = new() { NoDelay = true };
    private readonly RespFrames _frames = new();
    private bool _isSilent;

    /// <summary>Ends both sides at once, with what is under way lost.</summary>
    public void Reset()
    {
        Reset(client);
        Reset(_server);
    }

    public async Task RunAsync(int port)
    {
        try
        {
            client.NoDelay = true;
            await _server.ConnectAsync(IPAddress.Loopback, port);
            var (near, far) = (client.GetStream(), _server.GetStream());
            await Task.WhenAny(
                PumpAsync(near, far, proxy.Requests, _ => FaultedReply.Passed),
                PumpAsync(far, near, proxy.Replies, Judge));
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Redis is not there, or the connection was cut meanwhile.
        }

        Reset();
    }

    private FaultedReply Judge(ReadOnlyMemory<byte> bytes)
    {
        var before = _frames.Arrays;
        _frames.Feed(bytes.Span);
        var scripts = _frames.Arrays - before;
        if (_isSilent)
        {
            proxy.CountLost(scripts);
            return FaultedReply.Silenced;
        }

        var becomes = proxy.ReplyOf(scripts);
        _isSilent = becomes == FaultedReply.Silenced;
        return becomes;
    }

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private async Task PumpAsync(NetworkStream from, NetworkStream to, FaultGate gate, Func<ReadOnlyMemory<byte>, FaultedReply> judge)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var read)
            {
                await gate.PassAsync();
                var came = TimeProvider.System.GetTimestamp();
                // Again for the rest: a timer fires a little before its time, now and then.
                while (proxy.Latency - TimeProvider.System.GetElapsedTime(came) is var rest && rest > TimeSpan.Zero)
                {
                    await Clock.PassAsync(rest > Tick ? rest : Tick);
                }

                switch (judge(buffer.AsMemory(0, read)))
                {
                    case FaultedReply.Passed:
                        await to.WriteAsync(buffer.AsMemory(0, read));
                        break;
                    case FaultedReply.Reset:
                        return;
                }
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The other direction ends with this one.
        }
    }

    private static bool IsEnd(Exception e) => e is IOException or SocketException or ObjectDisposedException or InvalidOperationException;

    private static void Reset(TcpClient side)
    {
        try
        {
            side.Client?.Close(timeout: 0);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // It has ended already.
        }

        side.Dispose();
    }
}
