using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SessionActors;

/// <summary>What a server answered. Status 0: nothing came.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body.</param>
/// <param name="Cookie">The session cookie that the answer sets; empty where it removes it, null where it says nothing.</param>
/// <param name="WasSent">Whether the request may have reached the server.</param>
internal readonly record struct HttpAnswer(int Status, string Body, string? Cookie, bool WasSent);

/// <summary>
/// Connections to one server that are kept alive between requests. Unlike .NET's client it never sends a request a second time by itself,
/// so that what was done once is counted once; and it knows of a request that failed whether it was sent.
/// </summary>
internal sealed class HttpLine(IPEndPoint server) : IDisposable
{
    private const string CookieName = ".AspNetCore.Session";

    // Of a server whose plug is pulled nothing comes back, not even a refusal.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    // Nor an acknowledgement. Left to itself TCP sends again after pauses that double: a request that was cut off for 7 s waits 6 s more.
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(3);

    private static readonly HttpAnswer NotSent = new(0, "", null, WasSent: false);
    private static readonly HttpAnswer Unanswered = new(0, "", null, WasSent: true);

    private readonly System.Collections.Concurrent.ConcurrentBag<Connection> _idle = [];

    public async Task<HttpAnswer> GetAsync(string path, string? cookie, CancellationToken stop)
    {
        Connection connection;
        try
        {
            connection = Idle() ?? await Connection.OpenAsync(server, stop);
        }
        catch (Exception e) when (IsEnd(e))
        {
            return NotSent;
        }

        try
        {
            var answer = await connection.AskAsync(path, cookie, stop);
            if (connection.IsReusable)
            {
                _idle.Add(connection);
                connection = null!;
            }

            return answer;
        }
        catch (Exception e) when (IsEnd(e))
        {
            return Unanswered;
        }
        finally
        {
            connection?.Dispose();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    private static bool IsEnd(Exception e) =>
        e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or TimeoutException;

    private Connection? Idle()
    {
        while (_idle.TryTake(out var connection))
        {
            if (connection.IsOpen)
            {
                return connection;
            }

            connection.Dispose();
        }

        return null;
    }

    private sealed class Connection(Socket socket) : IDisposable
    {
        // TCP_USER_TIMEOUT of Linux, in milliseconds.
        private const int TcpUserTimeout = 18;

        private byte[] _buffer = new byte[4096];
        private int _filled;

        public bool IsReusable { get; private set; }

        /// <summary>Whether the server has said nothing since, not even good-bye.</summary>
        public bool IsOpen => !socket.Poll(0, SelectMode.SelectRead);

        public static async Task<Connection> OpenAsync(IPEndPoint server, CancellationToken stop)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                EndInSilence(socket);
                await socket.ConnectAsync(server, stop).AsTask().WaitAsync(ConnectTimeout, TimeProvider.System, stop);
                return new Connection(socket);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        public async Task<HttpAnswer> AskAsync(string path, string? cookie, CancellationToken stop)
        {
            IsReusable = false;
            var request = cookie is null
                ? $"GET {path} HTTP/1.1\r\nHost: rig\r\n\r\n"
                : $"GET {path} HTTP/1.1\r\nHost: rig\r\nCookie: {CookieName}={cookie}\r\n\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes(request), stop);
            _filled = 0;
            int end;
            while ((end = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
            {
                await ReadMoreAsync(stop);
            }

            var head = Encoding.Latin1.GetString(_buffer, 0, end).Split("\r\n");
            var body = Header(head, "Content-Length") is { } length
                ? await TakeAsync(end + 4, int.Parse(length, null), stop)
                : Header(head, "Transfer-Encoding") is "chunked" ? await ChunksAsync(end + 4, stop) : "";
            IsReusable = Header(head, "Connection") != "close";
            return new HttpAnswer(int.Parse(head[0].AsSpan(9, 3), null), body, CookieOf(head), WasSent: true);
        }

        public void Dispose() => socket.Dispose();

        // What was sent and what is waited for: one by the timeout of TCP, the other by its probes. A process that is slow or stopped is
        // not meant: its system still acknowledges.
        private static void EndInSilence(Socket socket)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 1);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, (int)SilenceTimeout.TotalSeconds - 1);
            if (OperatingSystem.IsLinux())
            {
                Span<byte> milliseconds = stackalloc byte[sizeof(int)];
                BitConverter.TryWriteBytes(milliseconds, (int)SilenceTimeout.TotalMilliseconds);
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, milliseconds);
            }
        }

        private static string? Header(string[] head, string name) => head
            .FirstOrDefault(line => line.Length > name.Length && line[name.Length] == ':'
                && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

        private static string? CookieOf(string[] head)
        {
            const string start = "Set-Cookie: " + CookieName + "=";
            return head.FirstOrDefault(line => line.StartsWith(start, StringComparison.OrdinalIgnoreCase))?[start.Length..].Split(';')[0];
        }

        private async Task<string> TakeAsync(int from, int length, CancellationToken stop)
        {
            while (_filled < from + length)
            {
                await ReadMoreAsync(stop);
            }

            return Encoding.UTF8.GetString(_buffer, from, length);
        }

        private async Task<string> ChunksAsync(int at, CancellationToken stop)
        {
            var body = new StringBuilder();
            while (true)
            {
                int end;
                while ((end = _buffer.AsSpan(at, _filled - at).IndexOf("\r\n"u8)) < 0)
                {
                    await ReadMoreAsync(stop);
                }

                var length = Convert.ToInt32(Encoding.ASCII.GetString(_buffer, at, end), 16);
                at += end + 2;
                body.Append(await TakeAsync(at, length, stop));
                await TakeAsync(at + length, 2, stop);
                at += length + 2;
                if (length == 0)
                {
                    return body.ToString();
                }
            }
        }

        private async Task ReadMoreAsync(CancellationToken stop)
        {
            if (_filled == _buffer.Length)
            {
                Array.Resize(ref _buffer, 2 * _buffer.Length);
            }

            var read = await socket.ReceiveAsync(_buffer.AsMemory(_filled), stop);
            _filled += read > 0 ? read : throw new IOException("The server ended the connection.");
        }
    }
}

/// <summary>What a rig reads of a session cookie.</summary>
internal static class CookieText
{
    private const int HandleAt = 14;

    /// <summary>The public name of the session that a cookie opens.</summary>
    public static string HandleOf(string cookie) =>
        SessionHandle.FromBytes(Base64Url.DecodeFromChars(cookie).AsSpan(HandleAt, SessionHandle.ByteLength)).ToString();
}
