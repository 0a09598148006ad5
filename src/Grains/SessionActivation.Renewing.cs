namespace SessionActors;

/// <content>How the store hears that the session goes on.</content>
internal sealed partial class SessionActivation
{
    private Task _touching = Task.CompletedTask;

    /// <summary>
    /// Renews the session in the store if that is due, until the store has heard it; its user's list hears of it as often. Nobody waits for
    /// it.
    /// </summary>
    public void TouchInBackground(PendingWrites writes)
    {
        TellSeen(writes);
        if (_touching.IsCompleted)
        {
            _touching = TouchAsync(writes);
            _touching.Ignore();
        }
        else
        {
            silo.Metrics.OnTouchSaved();
            Show(writes);
        }
    }

    /// <summary>Completes when the store has heard of the activity that there was.</summary>
    /// <exception cref="SessionUnavailableException">It did not answer.</exception>
    public async Task RenewedAsync()
    {
        try
        {
            await _touching.WaitAsync(SessionRequest.DefaultPatience, silo.Time);
        }
        catch (TimeoutException)
        {
            throw SessionUnavailableException.NotApplied(session, "the store is out of reach.");
        }
    }

    private async Task TouchAsync(PendingWrites writes)
    {
        // A flush that is under way may carry the renewal itself.
        await writes.Drained;
        if (owner.RenewalDue(writes.Flushed) is null)
        {
            silo.Metrics.OnTouchSaved();
        }

        // Once more after each renewal: its answer may have taken so long that there was activity which it did not tell of.
        while (_writes == writes && EndedBy(writes) is null && owner.RenewalDue(writes.Flushed) is { } keepFor)
        {
            var state = writes.Flushed;
            try
            {
                if (!await owner.TouchAsync(state, keepFor, ReclaimOf(writes)))
                {
                    await Task.Delay(silo.Options.TouchIntervalOf(state.Ttl) / 4, silo.Time);
                }
            }
            catch (SessionException e)
            {
                var isEnded = e is SessionDestroyedException { Reason: not SessionEndReason.Missing };
                var healed = isEnded ? WriteBack.Forbidden : await writes.HealAsync();
                if (healed == WriteBack.NotYet)
                {
                    await Task.Delay(silo.Options.TouchIntervalOf(state.Ttl) / 4, silo.Time);
                }

                // Where a flush has overtaken it, the flush's own answer counts.
                if (healed == WriteBack.Forbidden && _writes == writes
                    && (e is SessionDestroyedException || (writes.IsIdle && writes.Flushed == state)))
                {
                    Stop(e);
                }
            }

            await writes.Drained;
        }

        Show(writes);
    }
}
