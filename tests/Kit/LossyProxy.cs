using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SessionActors;

/// <summary>What a <see cref="LossyProxy"/> does to one request or its reply.</summary>
internal enum ProxyFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The request is executed, its reply dropped and the connection cut.</summary>
    LoseReply,

    /// <summary>The request is executed, and nothing comes back on this connection any more.</summary>
    Silence,

    /// <summary>
    /// The request is executed and only its reply dropped: the next one is taken for it, and every later one is off by one.
    /// </summary>
    SkipReply,

    /// <summary>The request is executed, and its reply replaced by something else.</summary>
    GarbleReply,

    /// <summary>The request is not executed; the connection is cut.</summary>
    LoseRequest,

    /// <summary>The request is sent, and executed, twice. The caller sees the second reply.</summary>
    Duplicate,
}

/// <summary>
/// A TCP proxy in front of a Redis that forwards whole requests and replies, and fails as told. It follows a connection that speaks RESP3
/// (as StackExchange.Redis does unless told otherwise), where what a client did not ask for is marked.
/// </summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TcpListener _listener;
    private int _serverPort;
    private readonly List<Link> _links = [];
    private readonly Queue<(ProxyFault Fault, string Command, TaskCompletionSource Struck)> _faults = [];
    private readonly Task _accepting;
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LossyProxy(int serverPort, TcpListener listener)
    {
        (_serverPort, _listener) = (serverPort, listener);
        _open.SetResult();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Host and port.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Starts a proxy in front of the Redis on this port of 127.0.0.1.</summary>
    public static LossyProxy Start(int serverPort)
    {
        var listener = new TcpListener(IPAddress.Loopback, RedisServer.FreePort());
        listener.Start();
        return new LossyProxy(serverPort, listener);
    }

    /// <summary>
    /// Lets the next request of this command meet a fault; several wait in line. The task ends when it has happened.
    /// </summary>
    /// <param name="fault">What happens.</param>
    /// <param name="command">How the command's name begins. Default: any script, sent whole (EVAL) or by its hash (EVALSHA).</param>
    public Task Next(ProxyFault fault, string command = "EVAL")
    {
        var struck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _faults.Enqueue((fault, command, struck));
        }

        return struck.Task;
    }

    /// <summary>Holds every request back until <see cref="Release"/>.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Lets the requests go that were held back, and all that follow.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _open.TrySetResult();
        }
    }

    /// <summary>Cuts every connection there is. New ones are accepted.</summary>
    public void CutAll()
    {
        lock (_gate)
        {
            _links.ForEach(link => link.Cut());
            _links.Clear();
        }
    }

    /// <summary>Cuts every connection; new ones go to the Redis on another port, as an address does that moves at a failover.</summary>
    public void Redirect(int serverPort)
    {
        Volatile.Write(ref _serverPort, serverPort);
        CutAll();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Release();
        CutAll();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                var link = new Link(this, client, server);
                lock (_gate)
                {
                    _links.Add(link);
                }

                _ = link.RunAsync(_serverPort);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            CutAll();
        }
    }

    private (ProxyFault Fault, TaskCompletionSource? Struck) Take(string command)
    {
        lock (_gate)
        {
            return _faults.TryPeek(out var next) && command.StartsWith(next.Command, StringComparison.OrdinalIgnoreCase)
                && _faults.TryDequeue(out next) ? (next.Fault, next.Struck) : (ProxyFault.None, null);
        }
    }

    private Task WhenOpen()
    {
        lock (_gate)
        {
            return _open.Task;
        }
    }

    /// <summary>One client's connection and its counterpart to the server.</summary>
    private sealed class Link(LossyProxy proxy, TcpClient client, TcpClient server)
    {
        private static readonly byte[] Garbage = Encoding.ASCII.GetBytes("$7\r\ngarbage\r\n");

        private readonly Lock _gate = new();

        // For each request under way, in order: what becomes of its reply.
        private readonly Queue<(ProxyFault Fault, TaskCompletionSource? Struck)> _replies = [];

        public void Cut()
        {
            client.Dispose();
            server.Dispose();
        }

        public async Task RunAsync(int serverPort)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, serverPort);
                await Task.WhenAny(
                    PumpAsync(client.GetStream(), server.GetStream(), RequestAsync),
                    PumpAsync(server.GetStream(), client.GetStream(), ReplyAsync));
            }
            catch (Exception lost) when (lost is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                Cut();
            }

            Cut();
        }

        private async Task RequestAsync(ReadOnlyMemory<byte> request, NetworkStream to)
        {
            await proxy.WhenOpen();
            var name = NameOf(request.Span);
            var (fault, struck) = proxy.Take(name);
            if (fault == ProxyFault.LoseRequest)
            {
                Cut();
                struck?.SetResult();
                return;
            }

            lock (_gate)
            {
                if (fault == ProxyFault.Duplicate)
                {
                    _replies.Enqueue((ProxyFault.SkipReply, null));
                    _replies.Enqueue((ProxyFault.None, struck));
                }
                else if (!name.EndsWith("SUBSCRIBE", StringComparison.OrdinalIgnoreCase))
                {
                    // A subscription is confirmed by a push.
                    _replies.Enqueue((fault, struck));
                }
            }

            await to.WriteAsync(request);
            if (fault == ProxyFault.Duplicate)
            {
                await to.WriteAsync(request);
            }
        }

        private async Task ReplyAsync(ReadOnlyMemory<byte> reply, NetworkStream to)
        {
            var (fault, struck) = (ProxyFault.None, default(TaskCompletionSource));
            if (reply.Span[0] != '>')
            {
                lock (_gate)
                {
                    // A silence stays for all that follows.
                    (fault, struck) = _replies.Peek() is { Fault: ProxyFault.Silence } silence ? silence : _replies.Dequeue();
                }
            }

            struck?.TrySetResult();
            switch (fault)
            {
                case ProxyFault.LoseReply:
                    Cut();
                    break;
                case ProxyFault.GarbleReply:
                    await to.WriteAsync(Garbage);
                    break;
                case ProxyFault.None:
                    await to.WriteAsync(reply);
                    break;
            }
        }

        private async Task PumpAsync(NetworkStream from, NetworkStream to, Func<ReadOnlyMemory<byte>, NetworkStream, Task> forward)
        {
            try
            {
                var buffer = new byte[64 * 1024];
                var filled = 0;
                while (await from.ReadAsync(buffer.AsMemory(filled)) is > 0 and var read)
                {
                    filled += read;
                    var start = 0;
                    for (var end = start; TrySkip(buffer.AsSpan(0, filled), ref end); start = end)
                    {
                        await forward(buffer.AsMemory(start, end - start), to);
                    }

                    buffer.AsSpan(start, filled - start).CopyTo(buffer);
                    filled -= start;
                    if (filled == buffer.Length)
                    {
                        Array.Resize(ref buffer, 2 * buffer.Length);
                    }
                }
            }
            catch (Exception lost) when (lost is IOException or ObjectDisposedException)
            {
                Cut();
            }
        }

        // *<n>\r\n$<length>\r\n<name>\r\n…
        private static string NameOf(ReadOnlySpan<byte> request)
        {
            var name = request[(request.IndexOf((byte)'$') + 1)..];
            name = name[(name.IndexOf((byte)'\n') + 1)..];
            return Encoding.ASCII.GetString(name[..name.IndexOf((byte)'\r')]);
        }

        /// <summary>Moves past one whole RESP2 or RESP3 value; false where its end has not come yet.</summary>
        private static bool TrySkip(ReadOnlySpan<byte> bytes, ref int position)
        {
            var length = bytes[position..].IndexOf("\r\n"u8);
            if (length < 0)
            {
                return false;
            }

            var type = (char)bytes[position];
            var counted = int.TryParse(bytes.Slice(position + 1, length - 1), CultureInfo.InvariantCulture, out var count);
            position += length + 2;
            switch (type)
            {
                case '$' or '=' or '!':
                    position += counted && count >= 0 ? count + 2 : 0;
                    return position <= bytes.Length;
                case '*' or '~' or '>' or '%':
                    var values = type == '%' ? 2 * count : count;
                    while (values-- > 0)
                    {
                        if (position >= bytes.Length || !TrySkip(bytes, ref position))
                        {
                            return false;
                        }
                    }

                    return true;
                default:
                    return true;
            }
        }
    }
}
