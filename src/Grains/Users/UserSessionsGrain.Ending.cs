using System.Collections.Immutable;

namespace SessionActors;

/// <content>How sessions of the user are ended, one or many, and what goes with them.</content>
internal sealed partial class UserSessionsGrain
{
    // As long as a call goes on.
    private static readonly TimeSpan BoundWithin = TimeSpan.FromSeconds(30);

    public async Task<bool> EndAsync(SessionHandle session)
    {
        var grain = GrainFactory.GetGrain<ISessionGrain>(session);
        var isTheirs = (await grain.RetryAsync(SessionRequest.DefaultPatience, () => grain.ReadAsync().AsTask()))?.UserId == _user;
        // What goes with it may live on by itself.
        if (isTheirs || (await StoredAsync(() => FindAsync(session)))?.With is not null)
        {
            return await StoredAsync(async () =>
            {
                await EndListedAsync([session], SessionEndReason.Revoked);
                return true;
            });
        }

        await RemoveAsync(session, with: null);
        return false;
    }

    public async Task EndOthersAsync(SessionHandle kept)
    {
        var place = await StoredAsync(
            async () => await FindAsync(kept) ?? await PlaceAsync(entry => entry.Beside.Contains(kept.ToString())));
        var browser = place is null ? [kept] : HandlesOf(place).Append(kept).Distinct();
        await EndTogetherAsync([.. browser.Select(handle => handle.ToString())]);
    }

    public Task EndAllAsync() => EndTogetherAsync([]);

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
            await Task.WhenAll(entries.Where(IsOver).SelectMany(HandlesOf).Select(_events.LookAtAsync));
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

        // A silo that nobody can tell hears of it with its next probe.
        var reply = await StoreRetry.UntilAnsweredAsync(
            _time, SessionRequest.DefaultPatience, () => _sessions.AnnounceAsync(UserStanding.PartOf(_user)));
        if (!reply.IsDone)
        {
            throw SessionUnavailableException.Unknown(
                $"of user {SessionHandle.LogNameOf(_user)}", "that they have ended could not be announced.", reply.Error);
        }
    }

    // With what goes with them.
    private async Task EndListedAsync(IEnumerable<SessionHandle> sessions, SessionEndReason reason)
    {
        foreach (var session in sessions)
        {
            var listed = await FindAsync(session);
            await EndAsync(listed is null ? [session] : HandlesOf(listed), reason);
            await _pages.RemoveAsync(session);
            _seen.Remove(session);
        }
    }

    private async Task EndAsync(IEnumerable<SessionHandle> sessions, SessionEndReason reason)
    {
        foreach (var grain in sessions.Select(session => GrainFactory.GetGrain<ISessionGrain>(session)))
        {
            await grain.RetryAsync(SessionRequest.New(), request => grain.EndAsync(reason, request));
        }
    }

    // The session, what goes with it and those beside it: all of one browser.
    private static IEnumerable<SessionHandle> HandlesOf(UserSessionEntry entry) =>
        [.. HandlesOf(entry.Session), .. HandlesOf(entry.With), .. entry.Beside.SelectMany(HandlesOf)];

    private static IEnumerable<SessionHandle> HandlesOf(string? session) => session is null ? [] : [SessionHandle.Parse(session)];

    private async Task<bool> LivesAsync(UserSessionEntry entry)
    {
        foreach (var session in HandlesOf(entry.Session).Concat(HandlesOf(entry.With)))
        {
            if (await LivesAsync(session, isNew: entry.BoundAt > Now - BoundWithin.TotalMilliseconds))
            {
                return true;
            }
        }

        return false;
    }

    // One that was added a moment ago is about to be bound.
    private async Task<bool> LivesAsync(SessionHandle session, bool isNew)
    {
        var grain = GrainFactory.GetGrain<ISessionGrain>(session);
        var found = await grain.RetryAsync(SessionRequest.DefaultPatience, () => grain.ReadAsync().AsTask());
        return found is not null && (found.UserId == _user || (isNew && found.UserId is null));
    }
}
