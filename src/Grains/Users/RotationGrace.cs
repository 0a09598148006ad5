namespace SessionActors;

/// <summary>
/// The secret that a session had before its last rotation, while requests that were under way then may still use it. It is in this
/// activation's memory alone: where the session moves, the grace is over.
/// </summary>
internal sealed class RotationGrace(SessionSilo silo)
{
    private SecretHash _secret;
    private int _generation;
    private TimeSpan? _until;

    /// <summary>The session got a new secret.</summary>
    /// <param name="before">How it was before.</param>
    public void Begin(SessionState before)
    {
        if (before.Secret is { } secret)
        {
            (_secret, _generation, _until) = (secret, before.Generation, silo.Now + silo.Options.RotationGrace);
        }
    }

    /// <summary>Whether a secret is the one before, and still good.</summary>
    public bool Has(in SecretHash secret) => silo.Now < _until && _secret.Matches(secret);

    /// <summary>Whether a generation is the one before, and still good.</summary>
    public bool Has(int generation, SessionState state) =>
        silo.Now < _until && generation == _generation && state.Generation == generation + 1;
}
