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
        if (with is not null)
        {
            var other = with.Value.ToString();
            var place = known?.With == other ? known : await StoredAsync(() => PlaceWithAsync(other));
            if (place is null && known?.With is null && await LivesAsync(with.Value, isNew: false))
            {
                place = known ?? Unnamed(session, expiresAt: Now);
            }

            if (place is not null)
            {
                See(SessionHandle.Parse(place.Session), place with { SeenAt = Now, With = other, WithExpiresAt = In(keptFor) });
            }

            return;
        }

        See(session, (known ?? Unnamed(session, In(keptFor))) with { SeenAt = Now, ExpiresAt = In(keptFor) });
    }

    // One that the list has lost comes back without its name.
    private UserSessionEntry Unnamed(SessionHandle session, long expiresAt) => new()
    {
        Session = session.ToString(), BoundAt = Now, SeenAt = Now, ExpiresAt = expiresAt, Stamp = _mark.State.Stamp,
    };

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
