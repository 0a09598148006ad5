using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace SessionActors;

/// <summary>
/// How the owners of sessions are named in the store, <c>{length}:{cluster}/{silo}</c>, and what a name tells about its silo. The length
/// keeps cluster "a" from matching an owner in "a/b".
/// </summary>
internal sealed class OwnerNames
{
    private readonly string _ownCluster;
    private readonly ISiloStatusOracle? _members;

    /// <param name="cluster">This cluster.</param>
    /// <param name="silo">This silo.</param>
    /// <param name="members">What is known of the others; null: nothing.</param>
    public OwnerNames(IOptions<ClusterOptions> cluster, ILocalSiloDetails silo, ISiloStatusOracle? members = null)
    {
        (_ownCluster, _members) = ($"{cluster.Value.ClusterId.Length}:{cluster.Value.ClusterId}/", members);
        Here = _ownCluster + silo.SiloAddress.ToParsableString();
    }

    /// <summary>The name of this silo.</summary>
    public string Here { get; }

    /// <summary>Whether an owner belongs to this cluster, whose directory then knows the way to it.</summary>
    public bool IsInOwnCluster([NotNullWhen(true)] string? name) =>
        name is not null && name.StartsWith(_ownCluster, StringComparison.Ordinal);

    /// <summary>The silo of an owner in this cluster.</summary>
    /// <exception cref="FormatException">It is no silo's name.</exception>
    public SiloAddress SiloOf(string name) => SiloAddress.FromParsableString(name[_ownCluster.Length..]);

    /// <summary>The silos of this cluster that work, as far as is known here.</summary>
    public IEnumerable<SiloAddress> ActiveSilos() => _members?.GetApproximateSiloStatuses(onlyActive: true).Keys.ToList() ?? [];

    /// <summary>What an owner's silo is to the cluster, as far as is known here.</summary>
    public SiloStatus StatusOf(string name) => _members?.GetApproximateSiloStatus(SiloOf(name)) ?? SiloStatus.None;
}
