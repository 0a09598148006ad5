using System.Globalization;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using MsOptions = Microsoft.Extensions.Options.Options;

namespace SessionActors;

/// <summary>How much a finding matters.</summary>
internal enum FindingLevel
{
    Ok,

    /// <summary>A silo starts, and its users may lose something one day.</summary>
    Warning,

    /// <summary>No silo starts with this Redis.</summary>
    Error,
}

/// <summary>What one check of the doctor's has found.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">What was found, and the mend.</param>
internal sealed record Finding(string Check, FindingLevel Level, string Text)
{
    public string Said => Level switch { FindingLevel.Ok => "ok", FindingLevel.Warning => "warning", _ => "error" };
}

/// <summary>
/// Examines a Redis: what a silo checks when it starts, by the same code, and besides it clock, persistence, latency and number of keys.
/// </summary>
internal sealed class Doctor(RedisStoreCheck check, Doctor.Warnings warnings, string prefix, TimeProvider time)
{
    private const int Pings = 21;

    private static readonly TimeSpan SlowPing = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan WrongClock = TimeSpan.FromSeconds(10);

    private readonly List<Finding> _findings = [];

    /// <summary>All findings; one alone, an error, where Redis is out of reach.</summary>
    public static async Task<IReadOnlyList<Finding>> ExamineAsync(Place place)
    {
        var options = MsOptions.Create(place.Options);
        var warnings = new Warnings();
        await using var connection = new RedisConnection(options);
        var check = new RedisStoreCheck(connection, options, TimeProvider.System, warnings);
        return await new Doctor(check, warnings, place.Options.KeyPrefix, TimeProvider.System).ExamineAsync();
    }

    private async Task<IReadOnlyList<Finding>> ExamineAsync()
    {
        IConnectionMultiplexer? redis = null;
        await LookAsync("reachable", async () =>
        {
            redis = await check.ReachAsync(CancellationToken.None);
            return check.Store;
        });
        if (redis is null)
        {
            return _findings;
        }

        foreach (var server in RedisStoreCheck.Masters(redis))
        {
            await LookAsync("version", async () => await check.CheckVersionAsync(server));
            await LookAsync("eviction", async () => await check.CheckEvictionAsync(server));
            await LookAsync("clock", () => ClockAsync(server));
            await LookAsync("persistence", () => PersistenceAsync(server));
        }

        await LookAsync("scripts", async () =>
        {
            await check.CheckScriptsAsync(redis, CancellationToken.None);
            return "this user may run them all, and they run atomically";
        });
        await LookAsync("latency", () => LatencyAsync(redis.GetDatabase()));
        await LookAsync("keys", async () => $"{await RedisSessions.KeysAsync(redis, prefix).LongCountAsync()} keys begin with '{prefix}'");
        return _findings;
    }

    private async Task<string?> ClockAsync(IServer server)
    {
        var off = await server.TimeAsync() - time.GetUtcNow().UtcDateTime;
        if (off.Duration() > WrongClock)
        {
            warnings.Say(
                $"{RedisStoreCheck.Named(server)} has a clock that is {(long)off.TotalSeconds} s from this machine's. Absolute ends of "
                + "sessions are kept in its time, so they move with a failover to a machine that has another. Synchronise both with NTP.");
        }

        return "as this machine's, within 10 s";
    }

    private async Task<string?> PersistenceAsync(IServer server)
    {
        var told = await check.InfoAsync(server, "persistence", "aof_enabled", "sessions survive its restart");
        if (told == "0")
        {
            warnings.Say(
                $"{RedisStoreCheck.Named(server)} keeps no append-only file: a restart loses every session that no server has in memory. "
                + "Set appendonly to yes (redis-cli CONFIG SET appendonly yes, and in redis.conf).");
        }

        return "an append-only file is kept";
    }

    private async Task<string?> LatencyAsync(IDatabase database)
    {
        var pings = new TimeSpan[Pings];
        for (var i = 0; i < Pings; i++)
        {
            pings[i] = await database.PingAsync();
        }

        Array.Sort(pings);
        var median = pings[Pings / 2];
        var said = string.Create(
            CultureInfo.InvariantCulture, $"{median.TotalMilliseconds:0.###} ms, the median of {Pings} pings from here");
        if (median > SlowPing)
        {
            warnings.Say($"{said}. Each change of a session waits that long: put the servers near their Redis.");
        }

        return said;
    }

    private async Task LookAsync(string what, Func<Task<string?>> look)
    {
        try
        {
            var found = await look();
            var heard = warnings.Take();
            _findings.AddRange(heard.Select(warning => new Finding(what, FindingLevel.Warning, warning)));
            if (heard.Count == 0)
            {
                _findings.Add(new Finding(what, FindingLevel.Ok, found ?? "not told"));
            }
        }
        catch (InvalidOperationException unfit)
        {
            _findings.Add(new Finding(what, FindingLevel.Error, unfit.Message));
        }
        catch (RedisServerException refusal)
        {
            _findings.Add(new Finding(
                what, FindingLevel.Warning,
                $"Redis does not let this user look ({refusal.Message.TrimEnd('.')}). Allow it, or look by hand."));
        }
        catch (Exception gone) when (gone is RedisException or TimeoutException)
        {
            _findings.Add(new Finding(what, FindingLevel.Error, $"Redis has stopped to answer: {gone.Message} Look at it, and repeat."));
        }
    }

    /// <summary>What the checks of a silo's start would log as warnings, until it is taken.</summary>
    internal sealed class Warnings : ILogger<RedisStoreCheck>
    {
        private List<string> _said = [];

        public void Say(string warning) => _said.Add(warning);

        public List<string> Take()
        {
            var said = _said;
            _said = [];
            return said;
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Say(formatter(state, exception));
    }
}
