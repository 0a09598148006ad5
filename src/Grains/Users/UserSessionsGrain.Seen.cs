namespace SessionActors;

/// <content>What was seen of sessions since their page was written last.</content>
internal sealed partial class UserSessionsGrain
{
    // What was seen is written with the next change, or after this time.
    private static readonly TimeSpan SeenWithin = TimeSpan.FromMinutes(1);

    private readonly Dictionary<SessionHandle, UserSessionEntry> _seen = [];
    private IGrainTimer? _writingSeen;

    public async Task SeenAsync(SessionHandle session, TimeSpan keptFor, SessionHandle? with)
    {
        var known = await StoredAsync(() => FindAsync(session));
        if (with is null)
        {
            await SeeAsync(session, known, entry => entry with { SeenAt = Now, ExpiresAt = In(keptFor) });
            return;
        }

        var other = with.Value.ToString();
        var place = known?.With == other ? known : await StoredAsync(() => PlaceWithAsync(other)) ?? known;
        if (place?.With == other || (place?.With is null && await LivesAsync(with.Value, isNew: false)))
        {
            await SeeAsync(
                place is null ? session : SessionHandle.Parse(place.Session), place,
                entry => entry with { SeenAt = Now, With = other, WithExpiresAt = In(keptFor) });
        }
    }

    // One that the list has lost comes back, without its name, and at once: what is seen later is only of those that the list has.
    private async Task SeeAsync(SessionHandle session, UserSessionEntry? known, Func<UserSessionEntry, UserSessionEntry> seen)
    {
        if (known is not null)
        {
            See(session, seen(known));
            return;
        }

        var entry = seen(new UserSessionEntry
        {
            Session = session.ToString(), BoundAt = Now, SeenAt = Now, ExpiresAt = Now, Stamp = _mark.State.Stamp,
        });
        await StoredAsync(async () =>
        {
            await _pages.SetAsync(entry, IsOver);
            return true;
        });
    }

    private void See(SessionHandle session, UserSessionEntry entry)
    {
        _seen[session] = entry;
        _writingSeen ??= this.RegisterGrainTimer(
            WriteSeenAsync, new GrainTimerCreationOptions(SeenWithin, SeenWithin) { KeepAlive = true });
    }

    private async Task WriteSeenAsync(CancellationToken cancellationToken)
    {
        if (_isShared)
        {
            await ReadAgainAsync();
        }

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

    private async Task ReadAgainAsync()
    {
        _pages.Forget();
        await _mark.ReadStateAsync();
        foreach (var (session, seen) in _seen.ToList())
        {
            // Of what was seen only that it was: all else may have been changed by somebody else.
            if (await _pages.FindAsync(session) is { } stored)
            {
                _seen[session] = stored with
                {
                    SeenAt = Math.Max(stored.SeenAt, seen.SeenAt),
                    ExpiresAt = Math.Max(stored.ExpiresAt, seen.ExpiresAt),
                    WithExpiresAt = stored.With == seen.With ? Math.Max(stored.WithExpiresAt, seen.WithExpiresAt) : stored.WithExpiresAt,
                };
            }
            else
            {
                _seen.Remove(session);
            }
        }
    }
}
