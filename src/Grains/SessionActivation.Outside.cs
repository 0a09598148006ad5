namespace SessionActors;

/// <content>What may be answered outside of the turns of the session's grain: by any thread of this process, at any time.</content>
internal sealed partial class SessionActivation
{
    // Made in a turn; null where only a turn can tell.
    private volatile OutsideView? _view;

    /// <summary>Whether it can be called without a message: it is in memory, and nobody has to be asked first.</summary>
    public bool TakesCalls => _view is { } view && IsGood(view, silo.Now);

    /// <summary>Opens the session for whoever shows its secret; null where the grain has to be asked.</summary>
    public SessionOpening? TryOpen(in SecretHash secret, bool slide)
    {
        // The state is read before anything that says whether it may be answered with: whoever stands still in between is turned away.
        if (_view is not { } view || view.Writes.Current != view.State || view.State.Secret is not { } own || !own.Matches(secret))
        {
            return null;
        }

        var now = silo.Now;
        if (!IsGood(view, now))
        {
            return null;
        }

        if (slide)
        {
            silo.Metrics.OnTouchSaved();
            lifetime.Slide(now);
        }

        return view.State.Opening;
    }

    /// <summary>Calls the grain, in one of its turns, for somebody in this process.</summary>
    /// <exception cref="SessionUnavailableException">It leaves; a message waits until it has left.</exception>
    public Task<T> CallAsync<T>(Func<ISessionGrain, Task<T>> call)
    {
        if (IsLeaving)
        {
            return Task.FromException<T>(SessionUnavailableException.TakenOver(session));
        }

        // Orleans collects what is sent no messages.
        grain.Stay(silo.Options.CollectionAge);
        return call(grain);
    }

    private bool IsGood(OutsideView view, TimeSpan now)
    {
        var store = silo.Healing.Store;
        return now < view.GoodUntil && silo.Serving.IsHeld && view.ConfirmedAt >= store.WarnedAt
            && (view.State.User is null || !store.WasAnnouncedSince(view.MarkAskedAt, view.UserPart));
    }

    /// <summary>
    /// Lets those outside answer until the store has to hear of their activity, or something has to be looked up. What is written replaces
    /// the state, and so ends it too.
    /// </summary>
    private void Show(PendingWrites writes)
    {
        var state = writes.Current;
        if (IsLeaving || AtHand != writes || state.Secret is null)
        {
            return;
        }

        // Orleans collects what nobody calls, and opens from outside are no calls.
        var goodUntil = Least(lifetime.GoodUntil(state.Ttl), silo.Now + (silo.Options.CollectionAge / 2));
        var (markAskedAt, part) = (0L, 0);
        if (state.User is not null)
        {
            goodUntil = silo.Healing.Store.TellsOfUsers ? goodUntil : Least(User.KnownUntil, goodUntil);
            (markAskedAt, part) = User.Known;
        }

        // Made here, and not by whichever thread comes first.
        _ = state.Opening;
        _view = new OutsideView(writes, state, goodUntil, owner.ConfirmedAt, markAskedAt, part);
    }

    /// <summary>From now on only turns answer.</summary>
    private void Hide() => _view = null;

    private sealed record OutsideView(
        PendingWrites Writes, SessionState State, TimeSpan GoodUntil, long ConfirmedAt, long MarkAskedAt, int UserPart);
}
