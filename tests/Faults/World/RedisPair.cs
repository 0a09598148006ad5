using System.Globalization;

namespace SessionActors;

/// <summary>The Redis that keeps the sessions, with every write on disk before it is answered; and at times a replica of it.</summary>
internal sealed class RedisPair : IAsyncDisposable
{
    private static readonly RedisServerSettings Durable = new() { AppendOnly = true, AppendFsync = "always" };

    private RedisServer _primary;
    private RedisServer? _replica;
    private FaultProxy? _replication;

    private RedisPair(RedisServer primary) => _primary = primary;

    /// <summary>The port of the primary.</summary>
    public int Port => _primary.Port;

    public static async Task<RedisPair> StartAsync() => new(await RedisServer.StartAsync(Durable));

    public void Kill() => _primary.Kill();

    public Task RestartAsync() => _primary.RestartAsync();

    public Task PauseAsync() => _primary.PauseAsync();

    public Task ResumeAsync() => _primary.ResumeAsync();

    public Task<string> SendAsync(string command) => RedisLine.SendAsync(Port, command);

    /// <summary>Starts a replica and waits until it has everything.</summary>
    public async Task AddReplicaAsync()
    {
        await SendAsync("CONFIG SET repl-diskless-sync-delay 0");
        var port = _primary.Port;
        _replication = new FaultProxy(System.Net.IPAddress.Loopback, () => port);
        _replica = await RedisServer.StartAsync(Durable);
        await RedisLine.SendAsync(_replica.Port, $"REPLICAOF 127.0.0.1 {_replication.Port}");
        await Until.TrueAsync(
            async () => await RedisLine.InfoAsync(_replica.Port, "replication", "master_link_status") == "up", "the replica is in step");
    }

    /// <summary>Cuts the replica off, at a moment when it has everything that was written before this was called.</summary>
    public async Task CutReplicaAsync()
    {
        // WAIT is about what its own connection wrote; whatever came before that is in the stream before it.
        var written = await RedisLine.SendAsync(Port, "SET rig:mark 1", "WAIT 1 10000");
        if (written != ":1\r\n")
        {
            throw new IOException($"The replica did not take a write within 10 s: {written}");
        }

        _replication!.Cut();
    }

    /// <summary>Makes the replica the primary and kills the one it was of.</summary>
    public async Task FailOverAsync()
    {
        await RedisLine.SendAsync(_replica!.Port, "REPLICAOF NO ONE");
        var old = _primary;
        old.Kill();
        _primary = _replica;
        _replica = null;
        await old.DisposeAsync();
        await _replication!.DisposeAsync();
        _replication = null;
    }

    /// <summary>How many bytes the append-only file has that Redis writes to now.</summary>
    public async Task<(string File, long Length)> AppendOnlyFileAsync()
    {
        var folder = Path.Combine(await RedisLine.SettingAsync(Port, "dir"), await RedisLine.SettingAsync(Port, "appenddirname"));
        var file = Directory.GetFiles(folder, "*.incr.aof")
            .MaxBy(path => int.Parse(Path.GetFileName(path).Split('.')[^3], CultureInfo.InvariantCulture))!;
        return (file, new FileInfo(file).Length);
    }

    public async ValueTask DisposeAsync()
    {
        if (_replication is not null)
        {
            await _replication.DisposeAsync();
        }

        if (_replica is not null)
        {
            await _replica.DisposeAsync();
        }

        await _primary.DisposeAsync();
    }
}
