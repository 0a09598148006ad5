namespace SessionActors;

/// <summary>
/// Something that does one thing at a time: an activation, or a client. It may be paused, and it may die, which it does between any two of
/// its steps: what it has begun is never gone on with.
/// </summary>
internal sealed class SimProcess(SimScheduler scheduler, string name) : SynchronizationContext
{
    [ThreadStatic]
    private static List<Action>? _foreignPosts;

    private readonly Queue<(SendOrPostCallback Callback, object? State)> _work = new();
    private readonly int _id = scheduler.NextId();
    private bool _isPaused;
    private bool _isListed;

    public bool IsDead { get; private set; }

    public bool IsPaused
    {
        get => _isPaused;
        set
        {
            _isPaused = value;
            List();
        }
    }

    public override string ToString() => name;

    /// <summary>What was posted by this thread, which is not the scheduler's.</summary>
    public static List<Action> TakeForeignPosts()
    {
        var posts = _foreignPosts ?? [];
        _foreignPosts = null;
        return posts;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!scheduler.IsHere)
        {
            (_foreignPosts ??= []).Add(() => Post(d, state));
        }
        else if (!IsDead)
        {
            _work.Enqueue((d, state));
            List();
        }
    }

    /// <summary>Begins something.</summary>
    public void Begin(Func<Task> work) => Post(_ => work(), null);

    public void Die()
    {
        IsDead = true;
        _work.Clear();
    }

    /// <summary>Does the next thing. False where there is none, or it may not.</summary>
    public bool Step()
    {
        if (_isPaused || !_work.TryDequeue(out var next))
        {
            _isListed = false;
            return false;
        }

        scheduler.Mix(_id);
        SetSynchronizationContext(this);
        try
        {
            next.Callback(next.State);
        }
        finally
        {
            SetSynchronizationContext(null);
        }

        return true;
    }

    private void List()
    {
        if (!_isListed && !_isPaused && _work.Count > 0)
        {
            _isListed = true;
            scheduler.Ready(this);
        }
    }
}
