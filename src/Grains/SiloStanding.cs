namespace SessionActors;

/// <summary>
/// What this silo is to its cluster, as the membership table says now. What the silo itself remembers says nothing: one that was paused or
/// cut off is the last to hear that it was declared dead.
/// </summary>
internal sealed class SiloStanding(ILocalSiloDetails silo, IClusterMembershipService membership, IMembershipTable? table = null)
{
    /// <exception cref="Exception">The table is out of reach.</exception>
    public async Task<SiloStatus> ReadAsync(CancellationToken cancellation)
    {
        if (table is null)
        {
            // An application with a membership of its own kind.
            await membership.Refresh(cancellationToken: cancellation);
            return membership.CurrentSnapshot.GetSiloStatus(silo.SiloAddress);
        }

        return (await ReadAsync(table, cancellation)).TryGet(silo.SiloAddress)?.Item1.Status ?? SiloStatus.None;
    }

    private async Task<MembershipTableData> ReadAsync(IMembershipTable from, CancellationToken cancellation)
    {
        try
        {
            return await from.ReadRowAsync(silo.SiloAddress, cancellation);
        }
        catch (NotSupportedException)
        {
            return await from.ReadAllAsync(cancellation);
        }
    }
}
