namespace SessionActors;

/// <content>How the session is written back to a store that has lost it.</content>
internal sealed partial class PendingWrites
{
    private Task<bool> _healing = Task.FromResult(false);

    /// <summary>
    /// Writes the session back if the store has lost it, or some of it, and this may be done (see <see cref="Healing"/>). Afterwards the
    /// store has it as the old one had confirmed it last; what waits goes on from there. False where it may not be, or cannot.
    /// </summary>
    public Task<bool> HealAsync() => _healing.IsCompleted ? _healing = WriteBackAsync() : _healing;

    private async Task<bool> WriteBackAsync()
    {
        if (!await silo.Healing.MayWriteBackAsync(owner.ConfirmedAt) || _stopped is SessionDestroyedException)
        {
            return false;
        }

        var reply = await owner.WriteBackAsync(Flushed, _writes.RingSlots());
        if (reply.Outcome == StoreOutcome.Written)
        {
            silo.Metrics.OnHealed();
        }

        return reply.Outcome is StoreOutcome.Written or StoreOutcome.AlreadyWritten or StoreOutcome.Ahead;
    }
}
