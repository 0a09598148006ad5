namespace SessionActors;

/// <content>How the session is written back to a store that has lost it.</content>
internal sealed partial class PendingWrites
{
    private Task<WriteBack> _healing = Task.FromResult(WriteBack.Forbidden);

    /// <summary>
    /// Writes the session back if the store has lost it, or some of it, and this may be done (see <see cref="Healing"/>). Afterwards the
    /// store has it as the old one had confirmed it last; what waits goes on from there. What may be written back, and is not yet, stays in
    /// memory.
    /// </summary>
    public Task<WriteBack> HealAsync() => _healing.IsCompleted ? _healing = WriteBackAsync() : _healing;

    /// <summary>Whether it was written back; false where it may not be.</summary>
    /// <exception cref="SessionUnavailableException">It may be, and could not.</exception>
    private async Task<bool> IsHealedAsync() => await HealAsync() switch
    {
        WriteBack.Done => true,
        WriteBack.Forbidden => false,
        _ => throw NotYetBack(),
    };

    /// <summary>
    /// Asks whether the session is still as it was read, and writes it back where the store has lost it, or some of it. Null where it did.
    /// </summary>
    /// <exception cref="SessionException">It has ended, is out of reach, or another silo of this cluster has it.</exception>
    private async Task<Validity?> ValidateOrHealAsync()
    {
        try
        {
            var validity = await owner.ValidateAsync(session, _nonce, _writes);
            return validity == Validity.Behind && await IsHealedAsync() ? null : validity;
        }
        catch (SessionException e) when (
            e is SessionDestroyedException { Reason: SessionEndReason.Missing } or SessionUnavailableException { Moved: true })
        {
            if (await IsHealedAsync())
            {
                return null;
            }

            throw;
        }
    }

    private SessionUnavailableException NotYetBack() =>
        SessionUnavailableException.NotApplied(session, "the store has lost it and does not take it back yet.");

    private async Task<WriteBack> WriteBackAsync()
    {
        var may = await silo.Healing.MayWriteBackAsync(owner.ConfirmedAt);
        if (may is not true || _stopped is SessionDestroyedException)
        {
            return may is null ? WriteBack.NotYet : WriteBack.Forbidden;
        }

        var reply = await owner.WriteBackAsync(Flushed, _writes.RingSlots());
        if (reply.Outcome == StoreOutcome.Written)
        {
            silo.Metrics.OnHealed();
        }

        return reply.Outcome switch
        {
            StoreOutcome.Written or StoreOutcome.AlreadyWritten or StoreOutcome.Ahead => WriteBack.Done,
            StoreOutcome.Fenced or StoreOutcome.Tombstone => WriteBack.Forbidden,
            _ => WriteBack.NotYet,
        };
    }
}
