namespace SessionActors;

/// <content>What becomes of the session when the store has changed.</content>
internal sealed partial class SessionActivation
{
    /// <summary>
    /// The store is another one than before: writes the session back, or, where that may not be, lets go of what the store has not, and
    /// reads what it has. Says what came of that; null where the new store was asked for the session already.
    /// </summary>
    /// <exception cref="SessionException">It has ended, is somebody else's, or the store did not answer.</exception>
    public async Task<WriteBack?> HealAsync(StoreChange change)
    {
        if (Loaded is not { } writes || owner.ConfirmedAt > change.NoticedAt)
        {
            return null;
        }

        var healed = await writes.HealAsync();
        if (healed == WriteBack.Forbidden)
        {
            await writes.ValidateAsync();
        }

        return healed;
    }
}
