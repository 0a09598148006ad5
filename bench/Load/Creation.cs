using System.Diagnostics;

namespace SessionActors.LoadBench;

/// <summary>Creates many sessions at a server by their first write, some at a time, and measures what that costs.</summary>
internal sealed class Creation(ServerProcess server, RedisProcess redis)
{
    public const int Parallel = 16;

    // The JIT compiler's work for these would count as the sessions' memory.
    private const int WarmUp = 20_000;

    private readonly List<string> _cookies = [];
    private readonly List<double> _perSecond = [];
    private TimeSpan _processor;
    private (long Heap, long Resident) _before;
    private (long Heap, long Resident) _after;

    /// <summary>The cookies of all sessions, in the order in which they were created.</summary>
    public IReadOnlyList<string> Cookies => _cookies;

    /// <summary>The median over the portions.</summary>
    public double PerSecond => Machine.Median(_perSecond);

    /// <summary>Processor time for each session, application and Redis.</summary>
    public double Microseconds => _processor.TotalMicroseconds / _cookies.Count;

    /// <summary>Managed memory of the application for each session.</summary>
    public long HeapBytes => (_after.Heap - _before.Heap) / _cookies.Count;

    /// <summary>Resident memory of the application for each session.</summary>
    public long ResidentBytes => (_after.Resident - _before.Resident) / _cookies.Count;

    public async Task BeginAsync()
    {
        await CreateAsync(WarmUp);
        _before = await server.MemoryAsync();
    }

    /// <summary>Creates a portion of the sessions; portions of several servers take turns.</summary>
    public async Task ContinueAsync(int sessions)
    {
        var processor = server.ProcessorTime + redis.ProcessorTime;
        var started = Stopwatch.GetTimestamp();
        _cookies.AddRange(await CreateAsync(sessions));
        _perSecond.Add(sessions / Stopwatch.GetElapsedTime(started).TotalSeconds);
        _processor += server.ProcessorTime + redis.ProcessorTime - processor;
    }

    public async Task EndAsync() => _after = await server.MemoryAsync();

    private async Task<string[]> CreateAsync(int sessions)
    {
        var cookies = new string[sessions];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(async _ =>
        {
            for (var i = Interlocked.Increment(ref next); i < sessions; i = Interlocked.Increment(ref next))
            {
                cookies[i] = await server.NewSessionAsync();
            }
        }));
        return cookies;
    }
}
