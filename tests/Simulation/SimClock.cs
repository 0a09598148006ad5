using System.Reflection;

namespace SessionActors;

/// <summary>Time that passes only when nothing else is to be done.</summary>
internal sealed class SimClock : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<(SimTimer Timer, int Setting), (long Due, long Order)> _due = new();
    private readonly List<SimTimer> _waits = [];
    private long _now = TimeSpan.TicksPerDay;
    private long _order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => new(_now);

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => Epoch + Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        timer.Change(dueTime, period);
        if (timer.IsWait)
        {
            _waits.Add(timer);
        }

        return timer;
    }

    /// <summary>Does something later.</summary>
    public void After(TimeSpan delay, Action action) => new SimTimer(this, _ => action(), null).Change(delay, Timeout.InfiniteTimeSpan);

    /// <summary>Goes on to the next moment at which something is due, and does it. False where nothing is.</summary>
    public bool GoOn()
    {
        while (_due.TryDequeue(out var next, out var at))
        {
            if (next.Timer.IsSet(next.Setting))
            {
                _now = at.Due;
                next.Timer.Fire();
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// <c>Task.WaitAsync</c> hands the end of what it waits for to the thread pool where that runs its continuations asynchronously.
    /// Waits until the pool has done so, and lets what it posted happen in an order of its own.
    /// </summary>
    public void Settle()
    {
        for (var i = 0; i < _waits.Count; i++)
        {
            if (_waits[i].IsSettled())
            {
                _waits[i].PostHere();
                _waits.RemoveAt(i--);
            }
        }
    }

    private void Set(SimTimer timer, int setting, TimeSpan dueTime)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            _due.Enqueue((timer, setting), (_now + Math.Max(0, dueTime.Ticks), _order++));
        }
    }

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        private static readonly Dictionary<Type, FieldInfo?> Sources = [];

        private readonly Task? _source = SourceOf(state);
        private TimeSpan _period;
        private int _setting;
        private List<Action> _posts = [];
        private volatile bool _isDisposed;

        /// <summary>Whether it is the time limit of a wait for a task.</summary>
        public bool IsWait => _source is not null;

        public bool IsSet(int setting) => !_isDisposed && setting == _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            clock.Set(this, ++_setting, dueTime);
            return !_isDisposed;
        }

        public void Fire()
        {
            clock.Set(this, _setting, _period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : _period);
            callback(state);
        }

        /// <summary>Whether the wait is over; waits itself where that is only a matter of the thread pool.</summary>
        public bool IsSettled()
        {
            if (_source!.IsCompleted)
            {
                // The promise disposes its timer when it has told everybody.
                SpinWait.SpinUntil(() => _isDisposed);
            }

            return _isDisposed;
        }

        public void PostHere() => _posts.ForEach(post => post());

        public void Dispose()
        {
            _posts = SimProcess.TakeForeignPosts();
            _isDisposed = true;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        // The promise of WaitAsync is the timer's state, and what it waits for a private field of it.
        private static Task? SourceOf(object? state)
        {
            if (state is not Task promise)
            {
                return null;
            }

            lock (Sources)
            {
                var type = promise.GetType();
                if (!Sources.TryGetValue(type, out var field))
                {
                    field = type.GetField("_task", BindingFlags.Instance | BindingFlags.NonPublic);
                    Sources.Add(type, field);
                }

                return (Task?)field?.GetValue(promise);
            }
        }
    }
}
