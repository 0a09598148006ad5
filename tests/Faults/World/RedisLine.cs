using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SessionActors;

/// <summary>
/// One command to the Redis on a port of 127.0.0.1, over a connection of its own: unlike a client's, it is never in the middle of
/// reconnecting.
/// </summary>
internal static class RedisLine
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Sends commands without blanks in their words, one after the other on one connection, and returns the last answer as Redis' protocol
    /// (version 2) spells it.
    /// </summary>
    /// <exception cref="IOException">Redis says that a command failed, or ends the connection.</exception>
    public static async Task<string> SendAsync(int port, params string[] commands)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var answer = "";
        foreach (var command in commands)
        {
            answer = await AskAsync(client.GetStream(), command, patience.Token);
            if (answer is "" or ['-', ..])
            {
                throw new IOException($"Redis on port {port} answered {command} with '{answer.Trim()}'.");
            }
        }

        return answer;
    }

    /// <summary>One number or word of INFO.</summary>
    public static async Task<string> InfoAsync(int port, string section, string key) =>
        (await SendAsync(port, $"INFO {section}")).Split('\n').Select(line => line.Trim().Split(':', 2))
            .First(pair => pair[0] == key)[1];

    /// <summary>One setting.</summary>
    public static async Task<string> SettingAsync(int port, string name) =>
        (await SendAsync(port, $"CONFIG GET {name}")).Split("\r\n")[4];

    private static async Task<string> AskAsync(NetworkStream redis, string command, CancellationToken stop)
    {
        await redis.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), stop);
        var answer = new List<byte>();
        var frames = new RespFrames();
        var buffer = new byte[16 * 1024];
        while (frames.Values == 0 && await redis.ReadAsync(buffer, stop) is > 0 and var read)
        {
            frames.Feed(buffer.AsSpan(0, read));
            answer.AddRange(buffer.AsSpan(0, read));
        }

        return Encoding.UTF8.GetString([.. answer]);
    }
}
