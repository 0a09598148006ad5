namespace SessionActors;

/// <content>How the session becomes a user's.</content>
internal sealed partial class SessionGrain
{
    public async Task BindAsync(UserBinding user, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(request);
        using var call = _calls.Enter(request.Id);
        var writes = await _activation.LoadedAsync();
        if (IsDoubtful(request, writes.Current))
        {
            await writes.ValidateAsync();
        }

        CheckGeneration(writes.Current, request);
        RefuseOther(writes.Current, user);
        // Listed first: one that is bound and not listed would be beyond the limit, and nobody would see it.
        var read = UserStanding.BeginRead(_silo);
        var mark = await _silo.Users.Of(user.UserId).AddAsync(_handle, user, _activation.KeptFor(writes));
        _activation.User.Learn(user.UserId, mark, read);
        var bound = new BoundUser(user.UserId, mark.Stamp, user.IsUnlisted, user.With?.ToString());
        await WriteAsync(
            request,
            state =>
            {
                RefuseOther(state, user);
                return new Change(SessionDelta.Empty) { User = state.User == bound ? null : bound };
            },
            static applied => applied.Version);
    }

    private void RefuseOther(SessionState state, UserBinding user)
    {
        if (state.User is { } other && other.Id != user.UserId)
        {
            throw new InvalidOperationException(
                $"Session {_session} is another user's already. End it, and bind a new one: what one user left in a session is not for the "
                + "next.");
        }
    }
}
