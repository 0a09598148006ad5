using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace SessionActors;

/// <summary>
/// The sessions of one user. Turns calls into changes of the list (<see cref="UserSessionPages"/>) and of the mark
/// (<see cref="UserMark"/>), one after the other: so a limit holds however many sign in at once.
/// </summary>
internal sealed partial class UserSessionsGrain : Grain, IUserSessionsGrain, IUserSessionsIndex
{
    private const int MostTries = 5;
    private const int MostBeside = 8;

    private readonly IPersistentState<UserMark> _mark;
    private readonly ISessionStorage _sessions;
    private readonly UserSessionPages _pages;
    private readonly UserLimit _limit;
    private readonly bool _isShared;
    private readonly TellSilos _silos;
    private readonly EventTeller _events;
    private readonly TimeProvider _time;
    private readonly string _user;

    public UserSessionsGrain(
        IGrainContext context,
        [PersistentState(UserLists.MarkName, CookieKeysGrain.StorageName)] IPersistentState<UserMark> mark,
        [FromKeyedServices(UserSessionPages.StorageName)] IGrainStorage storage,
        ISessionStorage sessions,
        IOptions<SessionActorsOptions> options,
        SessionMetrics metrics,
        TellSilos silos,
        EventTeller events,
        [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
        : base(context)
    {
        (_mark, _sessions, _silos, _events, _time) = (mark, sessions, silos, events, time);
        _user = context.GrainId.Key.ToString()!;
        _pages = new UserSessionPages(context.GrainId, storage, time);
        _limit = new UserLimit(options.Value, _pages, metrics);
        _isShared = options.Value.CrossCluster is not null;
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public Task<UserMark> AddAsync(SessionHandle session, UserBinding user, TimeSpan keptFor) => StoredAsync(async () =>
    {
        if (user.IsUnlisted)
        {
            if (user.With is { } other && await FindAsync(other) is { } listed)
            {
                await EndAsync(HandlesOf(listed.With).Where(before => before != session), SessionEndReason.Destroyed);
                await _pages.SetAsync(
                    listed with { With = session.ToString(), WithExpiresAt = In(keptFor + (keptFor / 20)) }, IsOver);
                _seen.Remove(other);
            }

            return _mark.State;
        }

        var place = await PlaceForAsync(user);
        if (user.Follows is not null && place is not null && place.Session != session.ToString()
            && place.FollowedAt > Now - BoundWithin.TotalMilliseconds)
        {
            string[] others = [.. place.Beside.Where(other => other != session.ToString()).TakeLast(MostBeside - 1)];
            await _pages.SetAsync(place with { Beside = [.. others, session.ToString()] }, IsOver);
            _seen.Remove(SessionHandle.Parse(place.Session));
            throw UserSessionLimitException.NoPlace(session.LogName);
        }

        if (_limit.IsOn && place is null)
        {
            await EndListedAsync(await _limit.BeforeAsync(session, IsOver, LivesAsync), SessionEndReason.Limit);
        }

        var entry = new UserSessionEntry
        {
            Session = session.ToString(),
            Device = user.Device,
            Address = user.Address,
            BoundAt = place?.BoundAt ?? Now,
            SeenAt = Now,
            ExpiresAt = In(keptFor),
            Stamp = _mark.State.Stamp,
            FollowedAt = user.Follows is not null ? Now : 0,
            Beside = [.. place?.Beside.Where(other => other != session.ToString()) ?? []],
        };
        var before = place ?? await FindAsync(session);
        _seen.Remove(session);
        await _pages.SetAsync(entry with { With = before?.With, WithExpiresAt = before?.WithExpiresAt ?? 0 }, IsOver);
        if (place is not null && SessionHandle.Parse(place.Session) is var old && old != session)
        {
            await EndAsync([old], SessionEndReason.Destroyed);
            await _pages.RemoveAsync(old);
            _seen.Remove(old);
        }

        return _mark.State;
    });

    // A try before this one may have given it the place already.
    private async Task<UserSessionEntry?> PlaceForAsync(UserBinding user)
    {
        var place = user.Replaces is { } old ? await FindAsync(old) : null;
        place ??= user.Follows is { } ticket ? await PlaceWithAsync(ticket.ToString()) : null;
        return place is not null && !IsOver(place) ? place : null;
    }

    // Where what goes with a session does not know that another one has its place.
    private Task<UserSessionEntry?> PlaceWithAsync(string with) => PlaceAsync(entry => entry.With == with);

    private async Task<UserSessionEntry?> PlaceAsync(Func<UserSessionEntry, bool> isIt)
    {
        for (var path = await _pages.NextAsync(null); path is not null; path = await _pages.NextAsync(path))
        {
            if ((await _pages.ReadAsync(path)).Select(Latest).FirstOrDefault(isIt) is { } place)
            {
                return place;
            }
        }

        return null;
    }

    private async Task<UserSessionEntry?> FindAsync(SessionHandle session) =>
        _seen.GetValueOrDefault(session) ?? await _pages.FindAsync(session);

    public Task RemoveAsync(SessionHandle session, SessionHandle? with) => StoredAsync(async () =>
    {
        var entry = await FindAsync(session);
        if (with is not null && entry?.With != with.ToString())
        {
            entry = await PlaceWithAsync(with.Value.ToString());
        }

        if (entry is null)
        {
            return false;
        }

        var left = with is null ? entry with { ExpiresAt = Now } : entry with { With = null, WithExpiresAt = 0 };
        var listed = SessionHandle.Parse(entry.Session);
        _seen.Remove(listed);
        await (IsOver(left) ? _pages.RemoveAsync(listed) : _pages.SetAsync(left, IsOver));
        return true;
    });

    public Task SetAgainAsync(UserMark mark) => StoredAsync(async () =>
    {
        await ReadAgainAsync();
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

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        WriteSeenAsync(cancellationToken);

    private UserSessionEntry Latest(UserSessionEntry entry) => _seen.GetValueOrDefault(SessionHandle.Parse(entry.Session)) ?? entry;

    private bool IsOver(UserSessionEntry entry)
    {
        var (session, latest) = (SessionHandle.Parse(entry.Session), Latest(entry));
        return (latest.ExpiresAt <= Now && (latest.With is null || latest.WithExpiresAt <= Now))
            || _mark.State.Ends(new BoundUser(_user, entry.Stamp), session);
    }

    private long In(TimeSpan duration) => (long)Math.Min(Now + duration.TotalMilliseconds, long.MaxValue / 2);

    // Where Orleans has two activations of a list, each finds by the etags that the other has written it, and does its part again. Where
    // clusters share a store two are the rule, and what the other one has written is read, too.
    private async Task<T> StoredAsync<T>(Func<Task<T>> change)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (_isShared && tries == 1)
                {
                    await ReadAgainAsync();
                }

                return await change();
            }
            catch (InconsistentStateException) when (tries < MostTries)
            {
                await ReadAgainAsync();
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
