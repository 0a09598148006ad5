using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>
/// Somebody who uses a session as a web server does: opens, reads, commits, has it exclusively, and sends a call that was not answered
/// again under the same request id.
/// </summary>
internal sealed class SimClient(SimScheduler scheduler, SimRecord record, SimCluster cluster, SimVisitor visitor, int number)
{
    private static readonly string[] Registers = ["a", "b"];

    private readonly SimSession _session = new(visitor.Session, cluster, number);
    private readonly SimProcess _process = new(scheduler, $"client{number}");
    private string? _lastTicket;
    private int _values;
    private bool _isAuditor;

    private Dice Dice => scheduler.Dice;

    /// <summary>Works through so many calls; the creator creates the session first.</summary>
    public Task Begin(bool creates, int calls) => BeginAsync(async () =>
    {
        if (creates)
        {
            await CreateAsync();
        }

        for (var i = 0; i < calls; i++)
        {
            await Task.Delay(Dice.Chance(20) ? Dice.Between(0, 3000) : Dice.Between(0, 100), scheduler.Clock);
            await NextAsync(Dice.Below(100));
        }
    });

    /// <summary>After all faults: changes the session, so that whoever answers owns it, and reads it.</summary>
    public Task Audit() => BeginAsync(async () =>
    {
        _isAuditor = true;
        if (await CallAsync(SessionCall.Set((SimNames.Audit, NewValue())), CommitAsync) is null)
        {
            record.Problems.Add($"{visitor.Session.LogName} does not answer after all faults are over");
        }

        await ReadAsync(isLast: true);
    });

    private Task BeginAsync(Func<Task> work)
    {
        var done = new TaskCompletionSource();
        _process.Begin(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception e)
            {
                record.Problems.Add($"{_process}: {e}");
            }

            done.SetResult();
        });
        return done.Task;
    }

    private Task NextAsync(int dice) => dice switch
    {
        < 15 => ReadAsync(isLast: false),
        < 27 => OpenAsync(),
        < 42 => CallAsync(SessionCall.Set((Dice.Of(Registers), NewValue())), CommitAsync),
        < 52 => CallAsync(Pair(), CommitAsync),
        < 57 => CallAsync(SessionCall.Remove(Dice.Of(Registers)), CommitAsync),
        < 59 => CallAsync(SessionCall.Clear(), CommitAsync),
        < 73 => CallAsync(SessionCall.Increment(SimNames.Counter, 1 + Dice.Below(3)), IncrementAsync),
        < 78 => CallAsync(SessionCall.Take(SimNames.Ticket), TakeAsync),
        < 86 => CallAsync(
            SessionCall.CompareAndSet(SimNames.Ticket, Dice.Chance(50) ? null : _lastTicket, NewValue()), CompareAndSetAsync),
        < 90 => RegenerateAsync(),
        < 98 => HaveExclusivelyAsync(),
        _ when visitor.MayBeDestroyed => CallAsync(SessionCall.Destroy(), DestroyAsync),
        _ => ReadAsync(isLast: false),
    };

    private SessionCall Pair()
    {
        var value = NewValue();
        return SessionCall.Set((SimNames.Left, value), (SimNames.Right, value));
    }

    private async Task CreateAsync()
    {
        var secret = NewSecret();
        var value = NewValue();
        var call = SessionCall.Create((SimNames.Left, value), (SimNames.Right, value));
        if (await CallAsync(call, async (request, what) =>
        {
            await _session.CreateAsync(new NewSession { Secret = secret, Delta = DeltaOf(what) }, request);
            return (what, 1);
        }) is { IsGone: false })
        {
            visitor.Secret = (secret, 1);
        }
    }

    private async Task RegenerateAsync()
    {
        var secret = NewSecret();
        var call = SessionCall.Regenerate() with { Generation = Dice.Chance(50) ? visitor.Secret?.Generation : null };
        if (await CallAsync(call, async (request, what) =>
            (what with { Answer = $"{await _session.RegenerateAsync(secret, request)}" }, null)) is { Answer: { } generation })
        {
            visitor.Secret = (secret, int.Parse(generation, CultureInfo.InvariantCulture));
        }
    }

    private Task<SessionOpening?> ReadAsync(bool isLast)
    {
        return LookAsync(SessionCall.Read() with { Name = isLast ? SimNames.Audit : null }, async _ =>
            await _session.ReadAsync() is { } snapshot ? OpeningOf(snapshot) : SessionOpening.Ended(SessionEndReason.Missing));
    }

    private async Task OpenAsync()
    {
        if (visitor.Secret is { } secret)
        {
            await LookAsync(
                SessionCall.Read() with { Generation = secret.Generation }, _ => _session.OpenAsync(secret.Hash, slide: true).AsTask());
        }
    }

    private static SessionOpening OpeningOf(SessionSnapshot snapshot) => new() { Standing = SessionStanding.Open, Snapshot = snapshot };

    /// <summary>A call that changes nothing. Unanswered it is none.</summary>
    private async Task<SessionOpening?> LookAsync(
        SessionCall what, Func<SessionRequest, Task<SessionOpening>> look, SessionRequest? acquire = null)
    {
        var request = acquire ?? new SessionRequest { Id = NewId() };
        var (sent, begunAt) = (record.Begin(visitor.Session, what, request.Id), scheduler.Clock.Now);
        try
        {
            var opening = await _session.RepeatAsync(request, look, scheduler.Clock, CancellationToken.None);
            var seen = opening.Snapshot;
            sent.Call.Answered(what with
            {
                Seen = seen is null ? null : SimRecord.Texts(seen.Properties),
                IsGone = opening.Standing == SessionStanding.Ended,
                IsSuperseded = opening.Standing == SessionStanding.Superseded,
            });
            if (seen is not null)
            {
                record.Seen.Add(new SeenState(visitor.Session, seen, begunAt));
                _lastTicket = SimRecord.Texts(seen.Properties).GetValueOrDefault(SimNames.Ticket);
            }

            Note(sent);
            return opening;
        }
        catch (Exception e) when (e is SessionException)
        {
            sent.Call.Refused();
            Note(sent, e);
            return null;
        }
    }

    private async Task HaveExclusivelyAsync()
    {
        var request = new SessionRequest { Id = NewId() };
        var opening = await LookAsync(SessionCall.Read(), again => _session.AcquireAsync(null, slide: true, again), request);
        if (opening?.Lease is { } lease)
        {
            var calls = new HashSet<RequestId>();
            record.Leases.Add(new SeenLease(visitor.Session, lease.Token, opening.Snapshot!.Version, calls));
            for (var i = Dice.Below(3); i >= 0; i--)
            {
                // Sometimes silent for longer than the lease lives.
                await Task.Delay(Dice.Chance(15) ? Dice.Between(1500, 3000) : Dice.Between(0, 20), scheduler.Clock);
                await CallAsync(Dice.Chance(50) ? Pair() : SessionCall.Set((Dice.Of(Registers), NewValue())), CommitAsync, lease, calls);
            }
        }

        if (Dice.Chance(80))
        {
            _session.ReleaseAsync(request.Id).Ignore();
        }
    }

    private async Task<(SessionCall, long?)> CommitAsync(SessionRequest request, SessionCall what) =>
        (what, await _session.CommitAsync(DeltaOf(what), request));

    private async Task<(SessionCall, long?)> IncrementAsync(SessionRequest request, SessionCall what)
    {
        var sum = await _session.IncrementAsync(what.Name!, long.Parse(what.Value!, CultureInfo.InvariantCulture), request);
        return (what with { Answer = $"{sum}" }, null);
    }

    private async Task<(SessionCall, long?)> TakeAsync(SessionRequest request, SessionCall what)
    {
        var taken = await _session.TakeAsync(what.Name!, request);
        return (what with { Answer = taken is { } value ? SimRecord.Text(what.Name!, value.Span) : null }, null);
    }

    private async Task<(SessionCall, long?)> CompareAndSetAsync(SessionRequest request, SessionCall what)
    {
        var isSet = await _session.CompareAndSetAsync(what.Name!, Bytes(what.Expected), Bytes(what.Value), request);
        return (what with { Answer = isSet ? "1" : "0" }, null);
    }

    private async Task<(SessionCall, long?)> DestroyAsync(SessionRequest request, SessionCall what)
    {
        await _session.DestroyAsync(request);
        return (what, null);
    }

    /// <summary>A call that changes something. Null where it was not answered, or refused.</summary>
    private async Task<SessionCall?> CallAsync(
        SessionCall what,
        Func<SessionRequest, SessionCall, Task<(SessionCall, long?)>> call,
        LeaseGrant? lease = null,
        HashSet<RequestId>? under = null)
    {
        var known = what.Generation
            ?? (what.Kind == SessionCallKind.Commit && !_isAuditor && Dice.Chance(30) ? visitor.Secret?.Generation : null);
        what = what with { Generation = known };
        var request = new SessionRequest { Id = NewId(), Generation = known, Lease = lease?.Id, LeaseToken = lease?.Token };
        under?.Add(request.Id);
        var sent = record.Begin(visitor.Session, what, request.Id);
        var tries = 0;
        Exception? why = null;
        try
        {
            var (answered, version) = await _session.RepeatAsync(
                request, again => call(Counted(again), what), scheduler.Clock, CancellationToken.None);
            (sent.Version, sent.AnsweredAt) = (version, scheduler.Clock.Now);
            sent.Call.Answered(answered);
        }
        catch (SessionDestroyedException e)
        {
            why = e;
            if (tries > 1)
            {
                // An earlier try may have been applied before that end; nothing more is said of it.
            }
            else if (e.Reason == SessionEndReason.Rotated)
            {
                // The rotation may be one that is not stored yet, and never will be: so no more is said than that nothing was changed.
                sent.Call.Refused();
            }
            else
            {
                sent.Call.Answered(what with { IsGone = true });
            }
        }
        catch (SessionException e) when (e is not SessionUnavailableException { MayBeApplied: true })
        {
            sent.Call.Refused();
            why = e;
        }
        catch (SessionUnavailableException e)
        {
            why = e;
        }

        Note(sent, why);
        return sent.Call.Record is { End: CallEnd.Answered } answer ? answer.Call : null;

        SessionRequest Counted(SessionRequest again)
        {
            tries++;
            return again;
        }
    }

    private void Note(SentCall sent, Exception? why = null)
    {
        scheduler.Mix((int)sent.Call.Record.End);
        scheduler.Note(() => $"{_process}: {sent.Call.Record}{(sent.Version is { } version ? $" version {version}" : "")} {why?.Message}");
    }

    private static SessionDelta DeltaOf(SessionCall what)
    {
        var delta = what.Clears ? SessionDelta.Empty.Clear() : SessionDelta.Empty;
        delta = what.Removes.Aggregate(delta, (before, name) => before.Remove(name));
        return what.Sets.Aggregate(delta, (before, set) => before.Set(set.Key, Encoding.UTF8.GetBytes(set.Value)));
    }

    private static ReadOnlyMemory<byte>? Bytes(string? text) =>
        text is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(text);

    private string NewValue() => $"{number}.{++_values}";

    private RequestId NewId() => new(Dice.Next(), Dice.Next());

    private SecretHash NewSecret() => SecretHash.Of(Encoding.UTF8.GetBytes(NewValue()));
}

/// <summary>A session, and what those who use it know of its secret.</summary>
internal sealed class SimVisitor(SessionHandle session)
{
    public SessionHandle Session => session;

    /// <summary>The newest secret that is known to be stored.</summary>
    public (SecretHash Hash, int Generation)? Secret { get; set; }

    public required bool MayBeDestroyed { get; init; }
}
