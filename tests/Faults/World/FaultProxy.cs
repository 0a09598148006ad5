using System.Net;
using System.Net.Sockets;

namespace SessionActors;

/// <summary>
/// A TCP proxy in front of a Redis: passes bytes on, and delays, stalls, cuts or loses them as told. The Redis behind it may change.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TcpListener _listener;
    private readonly Func<int> _target;
    private readonly HashSet<FaultLink> _links = [];
    private readonly Task _accepting;
    private bool _isCut;
    private int _repliesToLose;
    private bool _losesSilently;
    private long _lostReplies;

    /// <param name="address">Where it listens, at any free port.</param>
    /// <param name="target">The port of 127.0.0.1 that it passes connections on to.</param>
    public FaultProxy(IPAddress address, Func<int> target)
    {
        _target = target;
        _listener = new TcpListener(address, 0);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address => $"{_listener.LocalEndpoint}";

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What each way takes longer.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Holds requests back.</summary>
    public FaultGate Requests { get; } = new();

    /// <summary>Holds replies back.</summary>
    public FaultGate Replies { get; } = new();

    /// <summary>How many scripts were run without their replies ever coming back.</summary>
    public long LostReplies => Interlocked.Read(ref _lostReplies);

    /// <summary>Cuts all connections, and lets no new ones through until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _isCut = true;
        }

        ResetAll();
    }

    public void Mend()
    {
        lock (_gate)
        {
            _isCut = false;
        }
    }

    /// <summary>Resets all connections. New ones are let through.</summary>
    public void ResetAll()
    {
        lock (_gate)
        {
            foreach (var link in _links)
            {
                link.Reset();
            }

            _links.Clear();
        }
    }

    /// <summary>
    /// Loses replies of scripts, each time all those that come at once: what was asked for was done, and nobody learns of it.
    /// </summary>
    /// <param name="times">How often.</param>
    /// <param name="silently">Whether the connection stays open, with nothing coming back any more, rather than being reset.</param>
    public void LoseReplies(int times, bool silently)
    {
        lock (_gate)
        {
            (_repliesToLose, _losesSilently) = (times, silently);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        Requests.Open();
        Replies.Open();
        await _accepting;
    }

    /// <summary>What becomes of a piece of a link's replies that has the ends of so many scripts' replies in it.</summary>
    internal FaultedReply ReplyOf(long scripts)
    {
        lock (_gate)
        {
            if (_repliesToLose == 0 || scripts == 0)
            {
                return FaultedReply.Passed;
            }

            _repliesToLose--;
            Interlocked.Add(ref _lostReplies, scripts);
            return _losesSilently ? FaultedReply.Silenced : FaultedReply.Reset;
        }
    }

    internal void CountLost(long scripts) => Interlocked.Add(ref _lostReplies, scripts);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var link = new FaultLink(this, await _listener.AcceptTcpClientAsync());
                lock (_gate)
                {
                    if (_isCut)
                    {
                        link.Reset();
                        continue;
                    }

                    _links.Add(link);
                }

                _ = RunAsync(link);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task RunAsync(FaultLink link)
    {
        await link.RunAsync(_target());
        lock (_gate)
        {
            _links.Remove(link);
        }
    }
}

/// <summary>What becomes of a reply.</summary>
internal enum FaultedReply
{
    Passed,
    Reset,
    Silenced,
}

/// <summary>Lets everything through, or nothing.</summary>
internal sealed class FaultGate
{
    private volatile TaskCompletionSource? _closed;

    public void Close() => _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => Interlocked.Exchange(ref _closed, null)?.SetResult();

    public Task PassAsync() => _closed?.Task ?? Task.CompletedTask;
}
