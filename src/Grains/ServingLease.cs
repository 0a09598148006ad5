using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Whether this silo may answer reads from memory. The fence stops the writes of a silo that was paused, cut off or declared dead, and not
/// its reads; so it proves again and again that it is active in the membership table and reaches the store. A proof counts from when it was
/// asked for, on the machine's own clock: one whose answer waited for the end of a pause is worth nothing.
/// </summary>
/// <param name="options">For how long a proof counts.</param>
/// <param name="store">The store to be reached.</param>
/// <param name="standing">What this silo is to its cluster.</param>
/// <param name="time">The machine's clock, not the grains'.</param>
/// <param name="metrics">Count what is lost and regained.</param>
/// <param name="logger">Tells of it.</param>
internal sealed class ServingLease(
    IOptions<SessionActorsOptions> options,
    StoreWatch store,
    Func<CancellationToken, Task<SiloStatus>> standing,
    TimeProvider time,
    SessionMetrics metrics,
    ILogger<ServingLease> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    private const int ProofsPerLease = 3;

    private readonly TimeSpan _length = options.Value.ServingLease;
    private readonly long _ticks = (long)(options.Value.ServingLease.TotalSeconds * time.TimestampFrequency);
    private readonly CancellationTokenSource _stopping = new();
    private long _validUntil = long.MinValue;
    private long _standingAt = long.MinValue;
    private volatile bool _isGivenUp;
    private bool _wasHeld = true;
    private Task _proving = Task.CompletedTask;

    /// <summary>Whether reads may be answered from memory now. Looked at with each read.</summary>
    public bool IsHeld => time.GetTimestamp() < Volatile.Read(ref _validUntil);

    /// <summary>Whether there is anything to prove: not where every read asks the store anyway.</summary>
    public bool IsOn => _length > TimeSpan.Zero;

    /// <summary>
    /// Whether it is known what this silo is to its cluster, by the answer to a question of a moment or later. Asks where it is not.
    /// </summary>
    public async Task<bool> KnowsStandingSinceAsync(long moment)
    {
        if (IsOn && Volatile.Read(ref _standingAt) <= moment)
        {
            await ProveAsync(CancellationToken.None);
        }

        return !IsOn || Volatile.Read(ref _standingAt) >= moment;
    }

    /// <summary>Whether its cluster has declared this silo dead, so that others have its sessions.</summary>
    public bool IsGivenUp
    {
        get => _isGivenUp;
        private set => _isGivenUp = value;
    }

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(ServingLease), ServiceLifecycleStage.Active, StartAsync, StopAsync);

    /// <summary>Asks for a proof, once.</summary>
    public async Task ProveAsync(CancellationToken cancellation)
    {
        var askedAt = time.GetTimestamp();
        try
        {
            // An answer that takes longer than the lease would be worth nothing.
            var probing = store.AskAsync();
            var status = await standing(cancellation).WaitAsync(_length, time, cancellation);
            IsGivenUp = status == SiloStatus.Dead;
            Volatile.Write(ref _standingAt, askedAt);
            if (status != SiloStatus.Active)
            {
                Volatile.Write(ref _validUntil, long.MinValue);
                Tell($"it is {status} in the cluster's membership", null);
                return;
            }

            var probe = await probing.WaitAsync(_length, time, cancellation);
            if (probe.IsAnswered)
            {
                Volatile.Write(ref _validUntil, askedAt + _ticks);
            }

            Tell(probe.IsAnswered ? "the proof came too late" : "the store is out of reach", probe.Error);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            Tell("the membership or the store does not answer", e);
        }
    }

    internal async Task StartAsync(CancellationToken cancellation)
    {
        if (IsOn)
        {
            await ProveAsync(cancellation);
            _proving = Task.Run(ProveAgainAndAgainAsync, cancellation);
        }
    }

    internal async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await Task.WhenAny(_proving);
    }

    private async Task ProveAgainAndAgainAsync()
    {
        using var timer = new PeriodicTimer(_length / ProofsPerLease, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                // For one because the process was paused.
                Tell("no proof came in time", null);
                await ProveAsync(_stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    /// <summary>Tells of a change, once.</summary>
    private void Tell(string why, Exception? error)
    {
        var isHeld = IsHeld;
        if (isHeld != _wasHeld)
        {
            _wasHeld = isHeld;
            metrics.OnServingLease(isHeld);
            if (isHeld)
            {
                GrainLog.ServingLeaseRegained(logger);
            }
            else
            {
                GrainLog.ServingLeaseLost(logger, why, error);
            }
        }
    }
}
