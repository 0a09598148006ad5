using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// The pauses before a session is claimed back from another cluster. Two clusters that write one session at full speed fence each other
/// between claim and commit; pauses of random and growing length let one of them through.
/// </summary>
internal sealed class ReloadPauses(TimeProvider time)
{
    /// <summary>So many rounds in a row last about a second and do not happen by chance.</summary>
    public const int Most = 20;

    private const int LongestMs = 100;

    private int _count;

    public bool AreExhausted => _count == Most;

    public Task NextAsync()
    {
        var limitMs = Math.Min(1 << _count, LongestMs);
        _count = Math.Min(_count + 1, Most);
        return Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(limitMs)), time);
    }

    public void Reset() => _count = 0;
}
