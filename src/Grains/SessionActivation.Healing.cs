namespace SessionActors;

/// <content>What becomes of the session when the store has changed.</content>
internal sealed partial class SessionActivation
{
    /// <summary>
    /// The store is another one than before: writes the session back, or, where that may not be, lets go of what the store has not, and
    /// reads what it has. Says whether it was written back.
    /// </summary>
    /// <exception cref="SessionException">It has ended, is somebody else's, or the store did not answer.</exception>
    public async Task<bool> HealAsync()
    {
        if (Loaded is not { } writes)
        {
            return false;
        }

        if (await writes.HealAsync())
        {
            return true;
        }

        await writes.ValidateAsync();
        return false;
    }
}
