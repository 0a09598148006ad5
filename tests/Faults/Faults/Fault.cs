namespace SessionActors;

/// <summary>Something that goes wrong for a while.</summary>
internal abstract class Fault
{
    /// <summary>What it is called in the report.</summary>
    public abstract string Kind { get; }

    /// <summary>The server that it strikes; null where it strikes all, or Redis.</summary>
    public virtual AppServer? Server => null;

    /// <summary>Whether Redis itself is struck.</summary>
    public virtual bool StrikesRedis => false;

    /// <summary>Whether some server may not reach Redis meanwhile.</summary>
    public virtual bool HidesRedis => StrikesRedis;

    /// <summary>Whether all servers are struck, so that nothing can be done to one of them meanwhile.</summary>
    public virtual bool StrikesAllServers => false;

    /// <summary>Whether no other fault comes with it.</summary>
    public bool IsAlone { get; set; } = true;

    /// <summary>How long it goes on.</summary>
    public abstract TimeSpan Lasts { get; }

    public abstract Task StrikeAsync(FaultWorld world);

    /// <summary>Puts everything right again.</summary>
    public abstract Task HealAsync(FaultWorld world);

    public override string ToString() => Server is { } server
        ? $"{Kind} of server {server.Number}, {Lasts.TotalSeconds:0.0} s"
        : $"{Kind}, {Lasts.TotalSeconds:0.0} s";
}
