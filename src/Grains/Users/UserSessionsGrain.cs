using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace SessionActors;

/// <summary>
/// The sessions of one user. Turns calls into changes of the list (<see cref="UserSessionPages"/>) and of the mark
/// (<see cref="UserMark"/>), one after the other: so a limit holds however many sign in at once.
/// </summary>
internal sealed class UserSessionsGrain : Grain, IUserSessionsGrain, IUserSessionsIndex
{
    // What was seen is written with the next change, or after this time.
    private static readonly TimeSpan SeenWithin = TimeSpan.FromMinutes(1);

    private const int MostTries = 5;

    private readonly IPersistentState<UserMark> _mark;
    private readonly UserSessionPages _pages;
    private readonly UserLimit _limit;
    private readonly TellSilos _silos;
    private readonly EventTeller _events;
    private readonly TimeProvider _time;
    private readonly string _user;
    private readonly Dictionary<SessionHandle, UserSessionEntry> _seen = [];
    private IGrainTimer? _writingSeen;

    public UserSessionsGrain(
        IGrainContext context,
        [PersistentState(UserLists.MarkName, CookieKeysGrain.StorageName)] IPersistentState<UserMark> mark,
        [FromKeyedServices(UserSessionPages.StorageName)] IGrainStorage storage,
        IOptions<SessionActorsOptions> options,
        TellSilos silos,
        EventTeller events,
        [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
        : base(context)
    {
        (_mark, _silos, _events, _time) = (mark, silos, events, time);
        _user = context.GrainId.Key.ToString()!;
        _pages = new UserSessionPages(context.GrainId, storage);
        _limit = new UserLimit(options.Value, _pages);
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public Task<UserMark> AddAsync(SessionHandle session, UserBinding user, TimeSpan keptFor) => StoredAsync(async () =>
    {
        if (user.IsUnlisted)
        {
            if (user.With is { } other && await _pages.FindAsync(other) is { } listed)
            {
                await EndAsync(HandlesOf(listed.With), SessionEndReason.Destroyed);
                await _pages.SetAsync(Latest(listed) with { With = session.ToString() }, IsOver);
                _seen.Remove(other);
            }

            return _mark.State;
        }

        if (_limit.IsOn)
        {
            await EndListedAsync(await _limit.BeforeAsync(session, IsOver, LivesAsync), SessionEndReason.Limit);
        }

        var entry = new UserSessionEntry
        {
            Session = session.ToString(),
            Device = user.Device,
            Address = user.Address,
            BoundAt = Now,
            SeenAt = Now,
            ExpiresAt = In(keptFor),
            Stamp = _mark.State.Stamp,
            With = (await _pages.FindAsync(session))?.With,
        };
        _seen.Remove(session);
        await _pages.SetAsync(entry, IsOver);
        return _mark.State;
    });

    public async Task SeenAsync(SessionHandle session, TimeSpan keptFor)
    {
        var known = _seen.GetValueOrDefault(session) ?? await StoredAsync(() => _pages.FindAsync(session));
        // One that the list has lost comes back without its name.
        known ??= new UserSessionEntry
        {
            Session = session.ToString(), BoundAt = Now, SeenAt = Now, ExpiresAt = In(keptFor), Stamp = _mark.State.Stamp,
        };
        _seen[session] = known with { SeenAt = Now, ExpiresAt = In(keptFor) };
        _writingSeen ??= this.RegisterGrainTimer(
            WriteSeenAsync, new GrainTimerCreationOptions(SeenWithin, SeenWithin) { KeepAlive = true });
    }

    public Task RemoveAsync(SessionHandle session) => StoredAsync(async () =>
    {
        _seen.Remove(session);
        await _pages.RemoveAsync(session);
        return true;
    });

    public Task SetAgainAsync(UserMark mark) => StoredAsync(async () =>
    {
        _pages.Forget();
        await _mark.ReadStateAsync();
        if (_mark.State.Stamp < mark.Stamp)
        {
            await SetAsync(mark);
        }

        return true;
    });

    public Task<UserSessionsPage> ListAsync(string? after)
    {
        if (after is not null && !UserSessionPages.IsPath(after))
        {
            throw new FormatException("A page of sessions goes on after the Next of the page before, and after nothing else.");
        }

        return StoredAsync(async () =>
        {
            while (true)
            {
                if (await _pages.NextAsync(after) is not { } path)
                {
                    return new UserSessionsPage { Sessions = [] };
                }

                var live = (await _pages.ReadAsync(path)).Where(entry => !IsOver(entry)).Select(Latest).ToList();
                var next = await _pages.NextAsync(path);
                if (live.Count > 0 || next is null)
                {
                    return new UserSessionsPage
                    {
                        Sessions = [.. live.Select(entry => entry.ToPublic())], Next = next is null ? null : path,
                    };
                }

                after = path;
            }
        });
    }

    public async Task<bool> EndAsync(SessionHandle session)
    {
        var grain = GrainFactory.GetGrain<ISessionGrain>(session);
        var isTheirs = (await grain.RetryAsync(SessionRequest.DefaultPatience, () => grain.ReadAsync().AsTask()))?.UserId == _user;
        if (isTheirs)
        {
            await EndListedAsync([session], SessionEndReason.Revoked);
        }

        await RemoveAsync(session);
        return isTheirs;
    }

    public async Task EndOthersAsync(SessionHandle kept)
    {
        var listed = await StoredAsync(() => _pages.FindAsync(kept));
        await EndTogetherAsync([kept.ToString(), .. HandlesOf(listed?.With).Select(handle => handle.ToString())]);
    }

    public Task EndAllAsync() => EndTogetherAsync([]);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        WriteSeenAsync(cancellationToken);

    private async Task EndTogetherAsync(ImmutableArray<string> kept)
    {
        await StoredAsync(async () =>
        {
            await SetAsync(_mark.State.Next(kept, _time.GetUtcNow()));
            return true;
        });
        // From here on they have ended; those in memory hear of it at once, and the list may forget them whenever it can.
        await _silos.TellAsync(_user, _mark.State);
        await StoredAsync(async () =>
        {
            for (var path = await _pages.NextAsync(null); path is not null; path = await _pages.NextAsync(path))
            {
                await SayEndedAsync(await _pages.ReadAsync(path));
                await _pages.RemoveAsync(path, IsOver);
            }

            return true;
        });
    }

    // Those that nobody has in memory are looked at for their events; in the end they would be all the same.
    private async Task SayEndedAsync(IEnumerable<UserSessionEntry> entries)
    {
        if (_events.IsOn)
        {
            await Task.WhenAll(entries.Where(IsOver).SelectMany(entry => HandlesOf(entry.Session).Concat(HandlesOf(entry.With)))
                .Select(_events.LookAtAsync));
        }
    }

    private async Task SetAsync(UserMark mark)
    {
        var before = _mark.State;
        try
        {
            _mark.State = mark;
            await _mark.WriteStateAsync();
        }
        catch
        {
            _mark.State = before;
            throw;
        }
    }

    // With what goes with them.
    private async Task EndListedAsync(IEnumerable<SessionHandle> sessions, SessionEndReason reason)
    {
        foreach (var session in sessions)
        {
            var listed = await _pages.FindAsync(session);
            await EndAsync([session, .. HandlesOf(listed?.With)], reason);
            await _pages.RemoveAsync(session);
            _seen.Remove(session);
        }
    }

    private async Task EndAsync(IEnumerable<SessionHandle> sessions, SessionEndReason reason)
    {
        foreach (var grain in sessions.Select(session => GrainFactory.GetGrain<ISessionGrain>(session)))
        {
            await grain.RetryAsync(SessionRequest.New(), async request =>
            {
                await grain.EndAsync(reason, request);
                return true;
            });
        }
    }

    private static IEnumerable<SessionHandle> HandlesOf(string? session) => session is null ? [] : [SessionHandle.Parse(session)];

    private async Task<bool> LivesAsync(SessionHandle session)
    {
        var grain = GrainFactory.GetGrain<ISessionGrain>(session);
        return (await grain.RetryAsync(SessionRequest.DefaultPatience, () => grain.ReadAsync().AsTask()))?.UserId == _user;
    }

    private async Task WriteSeenAsync(CancellationToken cancellationToken)
    {
        foreach (var (session, entry) in _seen.ToList())
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await _pages.SetAsync(entry, IsOver);
            _seen.Remove(session);
        }

        _writingSeen?.Dispose();
        _writingSeen = null;
    }

    private UserSessionEntry Latest(UserSessionEntry entry) => _seen.GetValueOrDefault(SessionHandle.Parse(entry.Session)) ?? entry;

    private bool IsOver(UserSessionEntry entry)
    {
        var session = SessionHandle.Parse(entry.Session);
        return Latest(entry).ExpiresAt <= Now || _mark.State.Ends(new BoundUser(_user, entry.Stamp), session);
    }

    private long In(TimeSpan duration) => (long)Math.Min(Now + duration.TotalMilliseconds, long.MaxValue / 2);

    // Where Orleans has two activations of a list, each finds by the etags that the other has written it, and does its part again.
    private async Task<T> StoredAsync<T>(Func<Task<T>> change)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await change();
            }
            catch (InconsistentStateException) when (tries < MostTries)
            {
                _pages.Forget();
                await _mark.ReadStateAsync();
            }
            catch (Exception e) when (e is not SessionException)
            {
                DeactivateOnIdle();
                throw SessionUnavailableException.Unknown(
                    $"of user {SessionHandle.LogNameOf(_user)}", "the list of the user's sessions could not be read or written.", e);
            }
        }
    }
}
