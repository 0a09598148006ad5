using System.Runtime.CompilerServices;
using System.Text;

namespace SessionActors;

/// <summary>
/// What a key of ASP.NET Core's own middleware leads to: a session without a visitor, whose one property is the handle of the present one.
/// </summary>
internal sealed class SessionIndex(SessionDoor door, SessionKey key)
{
    private const string Leads = "session";

    // It has to outlive its session. The hour is for silos that keep in memory what has run out: that leaves a tombstone, and no other
    // index can be made while it lasts.
    private static readonly TimeSpan Longer = TimeSpan.FromHours(1);

    private readonly SessionConnection _connection = new(door, key.Index);
    private TimeSpan? _ttl;

    /// <summary>The session that it leads to; null where nothing does.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<SessionHandle?> OpenAsync()
    {
        var opening = await _connection.OpenAsync(slide: true);
        _ttl = opening.Snapshot?.Ttl;
        if (opening.Standing == SessionStanding.Ended)
        {
            door.Log.SessionExpired(_connection.Handle, opening.EndReason);
        }

        return HandleIn(opening.Snapshot);
    }

    /// <summary>
    /// Has it live for longer where it would not outlive a session that may be idle for this long: since this application lets sessions be
    /// so, or a service has given it to this one. Never for shorter, so that servers of two minds about it do not take turns.
    /// </summary>
    public async Task OutliveAsync(TimeSpan idle)
    {
        var ttl = TtlFor(idle);
        if (_ttl < ttl)
        {
            await _connection.OperateAsync((grain, request) => grain.CommitAsync(SessionDelta.Empty.WithTtl(ttl), request));
            _ttl = ttl;
        }
    }

    /// <summary>
    /// Leads it from one session, or from none, to the next one, and returns what it leads to then: another request may have been faster.
    /// </summary>
    /// <exception cref="SessionDestroyedException">It has ended, and nothing can take its place while its tombstone is there.</exception>
    public async Task<SessionHandle> LeadAsync(SessionHandle? before, SessionHandle next, TimeSpan idle)
    {
        await OutliveAsync(idle);
        var isLed = before is { } from
            ? await _connection.OperateAsync((grain, request) => grain.CompareAndSetAsync(Leads, Text(from), Text(next), request))
            : await IsMadeAsync(next, TtlFor(idle));
        if (isLed)
        {
            return next;
        }

        var handle = _connection.Handle;
        return HandleIn(await door.Calls.ReadAsync(door.GrainOf(handle), handle)) ?? throw SessionUnavailableException.NotApplied(
            handle.LogName, "what leads to its visitor's session has ended meanwhile.");
    }

    private async Task<bool> IsMadeAsync(SessionHandle next, TimeSpan ttl)
    {
        var made = new NewSession
        {
            Secret = key.Hash,
            Delta = SessionDelta.Empty.Set(Leads, Text(next)).WithTtl(ttl),
            IsIndex = true,
        };
        try
        {
            await _connection.OperateAsync((grain, request) => grain.CreateAsync(made, request));
            return true;
        }
        catch (InvalidOperationException)
        {
            // Another request has made it.
            return false;
        }
    }

    private static TimeSpan TtlFor(TimeSpan idle)
    {
        var ttl = (2 * idle) + Longer;
        return ttl < SessionDelta.MaxTtl ? ttl : SessionDelta.MaxTtl;
    }

    private static byte[] Text(SessionHandle handle) => Encoding.UTF8.GetBytes(handle);

    private static SessionHandle? HandleIn(SessionSnapshot? index) =>
        index?.GetString(Leads) is { } text && SessionHandle.TryParse(text, out var handle) ? handle : null;
}
