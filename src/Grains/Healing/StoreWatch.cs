using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>That the store that answers is not the one that answered before: it was restarted, or another one has taken over.</summary>
/// <param name="LastSeenAt">When the old one was asked for the last time that it answered, on <see cref="StoreWatch"/>'s clock.</param>
/// <param name="NoticedAt">When the answer of the new one had come.</param>
internal sealed record StoreChange(long LastSeenAt, long NoticedAt);

/// <summary>
/// Asks the store which one it is, and notices when it is another one than before, or when it has a warning for this silo. Measured on the
/// machine's clock, since that is what stores and networks fail by.
/// </summary>
internal sealed class StoreWatch(ISessionStorage storage, OwnerNames names, TimeProvider time, ILogger<StoreWatch> logger)
{
    // Who asks because the store has just said something strange will not take no for an answer at once.
    private const int Tries = 20;
    private const int MostWarnings = 1000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private StoreIdentity? _identity;
    private long _seenAt;
    private bool _isSilent;
    private volatile StoreChange? _lastChange;
    private readonly HashSet<string> _warnings = [];
    private string? _warning;
    private long _warnedAt = long.MinValue;
    private long _takenAt = long.MinValue;
    private readonly long[] _announcedAt = [.. Enumerable.Repeat(long.MinValue, ISessionStorage.UserParts)];
    private volatile IReadOnlyDictionary<int, string>? _marks;
    private Task _asking = Task.CompletedTask;
    private Task? _next;

    /// <summary>The last change; null where there was none since the silo began.</summary>
    public StoreChange? LastChange => _lastChange;

    /// <summary>
    /// When it was noticed that sessions were claimed from this silo that it had not handed over, or that the store is another one, which
    /// may have lost that: all that was known of any session before that has to be asked for once more. Never: the smallest number.
    /// </summary>
    public long WarnedAt => Volatile.Read(ref _warnedAt);

    /// <summary>
    /// When the former alone was noticed: what was known of any session before that is nothing to write back. Never: the smallest number.
    /// </summary>
    public long TakenAt => Volatile.Read(ref _takenAt);

    /// <summary>Sessions were claimed from this silo by itself: what was known of any before that has to be asked for once more.</summary>
    public void Warn() => Volatile.Write(ref _warnedAt, Now);

    /// <summary>Whether the store tells when a user's sessions were ended together.</summary>
    public bool TellsOfUsers => _marks is not null;

    /// <summary>Whether it was noticed since a moment that sessions of some user in a part were ended together.</summary>
    public bool WasAnnouncedSince(long moment, int part) => moment <= Volatile.Read(ref _announcedAt[part]);

    /// <summary>What happens when it has changed, before anybody is told of the new one.</summary>
    public Action? OnChange { get; set; }

    /// <summary>The time on the clock that all of this is measured on.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>When the store of now was last seen; null where it does not tell which one it is.</summary>
    public long? SeenAt
    {
        get
        {
            lock (_gate)
            {
                return _identity is null ? null : _seenAt;
            }
        }
    }

    /// <summary>A moment so long before another one.</summary>
    public long Before(long moment, TimeSpan duration) => moment - (long)(duration.TotalSeconds * time.TimestampFrequency);

    /// <summary>Asks once.</summary>
    public async Task<StoreProbe> AskAsync()
    {
        var askedAt = Now;
        var probe = await storage.ProbeAsync(names.Here);
        if (probe.IsAnswered)
        {
            Note(probe, askedAt);
        }

        return probe;
    }

    /// <summary>
    /// Asks anew, until the store answers or has had its time. Who comes while others ask shares the next question: the answer to theirs
    /// can be older than what made them ask.
    /// </summary>
    public Task AskAnewAsync()
    {
        lock (_gate)
        {
            // Not in the turns of whichever grain comes first.
            return _next ?? (_asking.IsCompleted ? _asking = Task.Run(AskUntilAnsweredAsync) : _next = Task.Run(AfterOthersAsync));
        }
    }

    private async Task AfterOthersAsync()
    {
        await Task.WhenAny(Others());
        lock (_gate)
        {
            (_asking, _next) = (_next!, null);
        }

        await AskUntilAnsweredAsync();
    }

    private Task Others()
    {
        lock (_gate)
        {
            return _asking;
        }
    }

    private async Task AskUntilAnsweredAsync()
    {
        for (var i = 0; i < Tries && !(await AskAsync()).IsAnswered; i++)
        {
            await Task.Delay(Pause, time);
        }
    }

    private void Note(StoreProbe probe, long askedAt)
    {
        var identity = probe.Identity;
        lock (_gate)
        {
            // A question that was overtaken by a later one says nothing new.
            if (askedAt < _seenAt)
            {
                return;
            }

            if (probe.Warning != _warning)
            {
                _warning = probe.Warning;
                Volatile.Write(ref _warnedAt, Now);
                NoteTaken();
            }

            NoteMarks(probe.Marks);
            if (identity is null && !_isSilent)
            {
                _isSilent = true;
                StoreLog.Nameless(logger);
            }

            if (_identity is not null && identity is not null && _identity != identity)
            {
                _lastChange = new StoreChange(_seenAt, Now);
                Volatile.Write(ref _warnedAt, Now);
                OnChange?.Invoke();
            }

            (_identity, _seenAt) = (identity ?? _identity, askedAt);
        }
    }

    // A store that has lost the last one tells none, or one from before.
    private void NoteTaken()
    {
        if (_warnings.Count > MostWarnings)
        {
            // One from before counts once more then, which only keeps something from being written back.
            _warnings.Clear();
        }

        if (_warning is not null && _warnings.Add(_warning))
        {
            Volatile.Write(ref _takenAt, Now);
        }
    }

    // A store that has lost some tells others than before, too.
    private void NoteMarks(IReadOnlyDictionary<int, string>? marks)
    {
        if (marks is null && _marks is null)
        {
            return;
        }

        for (var part = 0; part < _announcedAt.Length; part++)
        {
            if (_marks is null || marks?.GetValueOrDefault(part) != _marks.GetValueOrDefault(part))
            {
                Volatile.Write(ref _announcedAt[part], Now);
            }
        }

        _marks = marks;
    }
}
