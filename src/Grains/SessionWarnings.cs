namespace SessionActors;

/// <summary>How those who had a session, and may not know that they have it no more, hear of it.</summary>
internal static class SessionWarnings
{
    /// <summary>
    /// Before anybody is told what comes of a session that was taken from somebody who did not hand it over, or ended: Orleans may have two
    /// activations of it, in silos that are both well, and the other one would go on answering from its memory. Those of other clusters
    /// ask the store anyway. False where the store did not take the warnings within the patience.
    /// </summary>
    /// <param name="silo">The silo that took or ended it.</param>
    /// <param name="storage">The store, which carries the warnings.</param>
    /// <param name="handle">The session.</param>
    /// <param name="names">The owners' names.</param>
    /// <param name="patience">How long to ask the store.</param>
    /// <param name="claimant">Who has it in this silo now; null for nobody.</param>
    public static async Task<bool> WarnAsync(
        this SessionSilo silo, ISessionStorage storage, SessionHandle handle, IReadOnlyList<string> names, TimeSpan patience,
        SessionOwner? claimant)
    {
        if (!silo.Serving.IsOn || silo.Guard is not null)
        {
            return true;
        }

        var began = silo.Now;
        foreach (var name in names.Where(silo.Names.IsInOwnCluster))
        {
            if (name == silo.Names.Here)
            {
                await silo.Live.WithAsync(handle, activation => activation.HandOverAsync(claimant));
                // It may have taken the session back for what it had still to store.
                silo.Healing.Store.Warn();
            }
            else if (silo.Names.StatusOf(name) != SiloStatus.Dead
                && !(await StoreRetry.UntilAnsweredAsync(silo.Time, PatienceLeft(), () => storage.WarnAsync(name))).IsDone)
            {
                return false;
            }
        }

        return true;

        TimeSpan PatienceLeft()
        {
            var left = patience == StoreRetry.Endless ? patience : patience - (silo.Now - began);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
