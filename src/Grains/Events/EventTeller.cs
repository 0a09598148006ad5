using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>
/// Tells the application's <see cref="ISessionEvents"/> what has happened to sessions. Whoever does something to a session says which one;
/// what there is to tell is read from the store, where it stays until it has been told. So nothing rests on who says it, or on whether
/// anybody does: <see cref="EventSweeper"/> finds the rest.
/// </summary>
internal sealed class EventTeller(
    IServiceProvider services,
    IEventStorage events,
    UserLists users,
    Healing healing,
    IGrainFactory grains,
    SessionMetrics metrics,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time,
    ILogger<EventTeller> logger)
{
    // Each tells one event at a time, always of the same sessions, so that those of one session stay in order.
    private const int Readers = 16;

    // Of what is said beyond it the next sweeps hear.
    private const int MostWaiting = 1024;

    private static readonly TimeSpan HandlerTimeout = TimeSpan.FromSeconds(20);

    private readonly Channel<SessionHandle>[] _waiting = [.. Enumerable.Range(0, Readers).Select(
        _ => Channel.CreateBounded<SessionHandle>(MostWaiting))];

    /// <summary>How long whoever takes a session has to tell an event, before it is somebody else's turn.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    /// <summary>When an event that nobody could tell, or no handler took, is told again.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromSeconds(10);

    private readonly bool _usesRedis = services.UsesRedis();

    /// <summary>Whether there is anybody to be told.</summary>
    public bool IsOn { get; } = services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(ISessionEvents));

    /// <summary>Has a session looked at in time, whatever becomes of whoever is about to do something to it.</summary>
    public Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan dueIn) => events.ScheduleAsync(handle, dueIn);

    /// <summary>Has a session looked at by the next sweep.</summary>
    public Task LookAtAsync(SessionHandle handle) => events.ScheduleAsync(handle, TimeSpan.FromMilliseconds(1));

    /// <summary>Something has happened to the session. Nobody waits for it to be told.</summary>
    public void Say(SessionHandle handle)
    {
        if (!TrySay(handle))
        {
            LookAtAsync(handle).Ignore();
        }
    }

    /// <summary>The same of one that is to be looked at again anyway; false where too many wait.</summary>
    public bool TrySay(SessionHandle handle) => ChannelOf(handle).Writer.TryWrite(handle);

    /// <summary>Tells events until the silo stops.</summary>
    public Task RunAsync(CancellationToken stopping)
    {
        // A handler that cannot be made stops the silo's start.
        var handlers = services.GetServices<ISessionEvents>().ToList();
        return Task.WhenAll(_waiting.Select(waiting => Task.Run(() => RunAsync(waiting.Reader, handlers, stopping), stopping)));
    }

    private async Task RunAsync(ChannelReader<SessionHandle> waiting, List<ISessionEvents> handlers, CancellationToken stopping)
    {
        await foreach (var handle in waiting.ReadAllAsync(stopping))
        {
            try
            {
                await TellAsync(handle, handlers, stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                EventLog.NotTold(logger, handle.LogName, e);
                await events.ScheduleAsync(handle, Again);
            }
        }
    }

    private async Task TellAsync(SessionHandle handle, List<ISessionEvents> handlers, CancellationToken stopping)
    {
        // Whoever says something of the session meanwhile moves it, and what is said here of when to look again counts no more.
        var held = await HoldAsync(handle, place: null);
        var reply = held.IsDone ? await events.UntoldAsync(handle) : held;
        if (reply.Untold is { Ended: null } current && await EndedByAsync(handle, current) is { } reason)
        {
            if (!await EndAsync(handle, reason))
            {
                await events.ScheduleAsync(handle, Again, held.Place);
                return;
            }

            reply = await events.UntoldAsync(handle);
        }

        if (reply.Outcome is StoreOutcome.Missing or StoreOutcome.Tombstone)
        {
            await events.ScheduleAsync(handle, null, held.Place);
            return;
        }

        if (reply.Untold is not { } untold)
        {
            throw reply.ToException(handle.LogName);
        }

        for (var number = untold.Told + 1; number <= untold.Happened; number++)
        {
            var happened = EventOf(handle, untold, number == 1 ? SessionEventKind.Started : SessionEventKind.Rotated, number);
            await ToldAsync(happened, handlers, stopping);
            held = await HoldAsync(handle, held.Place) is { IsDone: true } longer ? longer : held;
            Check(await events.ToldAsync(handle, number, end: false, healing.Tombstone), handle);
        }

        if (untold.Ended is not null)
        {
            await ToldAsync(EventOf(handle, untold, SessionEventKind.Ended, untold.Happened + 1), handlers, stopping);
            Check(await events.ToldAsync(handle, untold.Happened, end: true, healing.Tombstone), handle);
        }

        await events.ScheduleAsync(handle, untold.Ended is null ? untold.Left : null, held.Place);
    }

    // Never twice at the same place.
    private Task<StoreReply> HoldAsync(SessionHandle handle, string? place) => events.ScheduleAsync(
        handle, Hold + TimeSpan.FromTicks(RandomNumberGenerator.GetInt32((int)TimeSpan.TicksPerMillisecond)), place);

    // Its user's mark ends a session that nobody has in memory without anything being done to it.
    private async Task<SessionEndReason?> EndedByAsync(SessionHandle handle, UntoldEvents session) =>
        session.User is { } user && (await users.ReadMarkAsync(user.Id)).Ends(user, handle) ? SessionEndReason.Revoked
        : session.Left > TimeSpan.Zero ? null
        : session.IsPastLifetime ? SessionEndReason.Lifetime
        : SessionEndReason.Idle;

    // Not while somebody may write it back to a store that has lost its renewals.
    private async Task<bool> EndAsync(SessionHandle handle, SessionEndReason reason)
    {
        if (reason == SessionEndReason.Revoked)
        {
            // Somebody may have it in memory.
            await grains.GetGrain<ISessionGrain>(handle).EndAsync(reason, SessionRequest.New());
            return true;
        }

        if (_usesRedis && !healing.IsSettled)
        {
            return false;
        }

        var reply = await events.ExpireAsync(handle, reason, healing.Tombstone);
        Check(reply, handle);
        return reply.Outcome != StoreOutcome.Found;
    }

    private async Task ToldAsync(SessionEvent happened, List<ISessionEvents> handlers, CancellationToken stopping)
    {
        using var late = new CancellationTokenSource(HandlerTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping, late.Token);
        try
        {
            foreach (var handler in handlers)
            {
                await (happened.Kind switch
                {
                    SessionEventKind.Started => handler.OnStartedAsync(happened, limit.Token),
                    SessionEventKind.Rotated => handler.OnRotatedAsync(happened, limit.Token),
                    _ => handler.OnEndedAsync(happened, limit.Token),
                }).WaitAsync(limit.Token);
            }

            metrics.OnTold(happened.Kind, isTaken: true);
        }
        catch (Exception)
        {
            metrics.OnTold(happened.Kind, isTaken: false);
            throw;
        }
    }

    private static SessionEvent EventOf(SessionHandle handle, UntoldEvents session, SessionEventKind kind, int number) => new()
    {
        Kind = kind,
        Handle = handle,
        Number = number,
        EndReason = kind == SessionEventKind.Ended ? session.Ended : null,
        UserId = session.User?.Id,
        Properties = session.Properties,
    };

    private static void Check(StoreReply reply, SessionHandle handle)
    {
        if (!reply.IsDone && reply.Outcome is not (StoreOutcome.Missing or StoreOutcome.Found))
        {
            throw reply.ToException(handle.LogName);
        }
    }

    private Channel<SessionHandle> ChannelOf(SessionHandle handle)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(bytes);
        // The last byte, since the first says in which part of the index the session is.
        return _waiting[bytes[^1] % Readers];
    }
}
