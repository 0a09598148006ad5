namespace SessionActors;

/// <content>How the session is opened and read: at once where it is in memory.</content>
internal sealed partial class SessionGrain
{
    public ValueTask<SessionOpening> OpenAsync(SecretHash secret, bool slide) =>
        _activation.AtHand is { } writes && Open(writes, secret, slide) is { Standing: SessionStanding.Open } opening
            ? new(opening) : LoadAndOpenAsync(secret, slide);

    public ValueTask<SessionOpening> OpenSinceAsync(SecretHash secret, bool slide, SnapshotMark known)
    {
        var opening = OpenAsync(secret, slide);
        return opening.IsCompletedSuccessfully ? new(Since(known, opening.Result)) : SinceAsync(known, opening);
    }

    public ValueTask<SessionSnapshot?> ReadAsync() =>
        _activation.AtHand is { } writes ? new(writes.Current.Opening.Snapshot) : LoadAndReadAsync();

    private SessionOpening Open(PendingWrites writes, SecretHash? secret, bool slide)
    {
        var state = writes.Current;
        var isOld = secret is { } shown && (state.Secret is not { } own || !own.Matches(shown));
        if (isOld && _grace?.Has(secret!.Value) is not true)
        {
            return SessionOpening.Superseded;
        }

        if (slide)
        {
            _lifetime.Slide(_silo.Now);
            _activation.TouchInBackground(writes);
        }

        return isOld ? SessionOpening.UnderOldSecret(state.Opening.Snapshot!) : state.Opening;
    }

    private async ValueTask<SessionOpening> SinceAsync(SnapshotMark known, ValueTask<SessionOpening> opening) =>
        Since(known, await opening);

    private SessionOpening Since(SnapshotMark known, SessionOpening opening) =>
        _activation.Loaded?.Current is { } state && state.Opening == opening ? state.OpeningSince(known) : opening;

    private async ValueTask<SessionOpening> OpenAsync(PendingWrites writes, SecretHash? secret, bool slide)
    {
        var opening = Open(writes, secret, slide);
        if (opening.Standing == SessionStanding.Superseded)
        {
            // The secret may also be newer than what is in memory, where another activation gave it. Who is told that his is old can no
            // longer log out.
            opening = Open(await _activation.AskedAsync(), secret, slide);
        }

        if (!slide || _lifetime.IsKept || opening.Standing != SessionStanding.Open)
        {
            return opening;
        }

        await _activation.RenewedAsync();
        return Open(await _activation.FreshAsync(), secret, slide: false);
    }

    private async ValueTask<SessionOpening> LoadAndOpenAsync(SecretHash secret, bool slide)
    {
        try
        {
            return await OpenAsync(await _activation.FreshAsync(), secret, slide);
        }
        catch (SessionDestroyedException e)
        {
            return SessionOpening.Ended(e.Reason);
        }
    }

    private async ValueTask<SessionSnapshot?> LoadAndReadAsync()
    {
        try
        {
            return (await _activation.FreshAsync()).Current.Opening.Snapshot;
        }
        catch (SessionDestroyedException)
        {
            return null;
        }
    }
}
