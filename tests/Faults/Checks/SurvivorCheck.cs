using System.Globalization;

namespace SessionActors;

/// <summary>What a server uses: memory in bytes, and open files with its connections.</summary>
internal readonly record struct ServerUsage(int Server, long Memory, int Handles);

/// <summary>
/// Servers that lived through it all use about as much as others did after their start. Sessions stay in memory for minutes after their
/// last visit, so memory may have grown by them, and not without bound.
/// </summary>
internal static class SurvivorCheck
{
    private const int MoreHandles = 150;
    private const long MoreMemory = 512L * 1024 * 1024;

    /// <summary>What is wrong.</summary>
    /// <param name="first">What servers used under the same load before the first fault.</param>
    /// <param name="last">What they use after the last.</param>
    public static IEnumerable<string> Check(IReadOnlyCollection<ServerUsage> first, IReadOnlyCollection<ServerUsage> last)
    {
        var (handles, memory) = (first.Max(usage => usage.Handles) + MoreHandles, first.Max(usage => usage.Memory) + MoreMemory);
        foreach (var usage in last)
        {
            if (usage.Handles > handles || usage.Memory > memory)
            {
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"server {usage.Server} has {usage.Handles} handles (at most {handles}) and {usage.Memory:N0} bytes "
                        + $"(at most {memory:N0})");
            }
        }
    }
}
