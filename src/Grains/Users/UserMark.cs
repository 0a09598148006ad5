using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// Which of a user's sessions have ended together: those that were bound under a lower stamp, but for one. Each time it is drawn anew, and
/// higher.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.UserMark")]
internal sealed class UserMark
{
    /// <summary>0 where the user's sessions never were ended together.</summary>
    [Id(0)]
    public long Stamp { get; init; }

    /// <summary>Those that go on, where any do: one, and what goes with it.</summary>
    [Id(1)]
    public ImmutableArray<string> Kept { get; init; } = [];

    /// <summary>Whether it ends a session.</summary>
    public bool Ends(BoundUser user, SessionHandle session) => user.Stamp < Stamp && !Kept.Contains(session.ToString());

    /// <summary>
    /// The next one. Stamps are times, so that one which is drawn after the store has lost the last is higher than that all the same.
    /// </summary>
    public UserMark Next(ImmutableArray<string> kept, DateTimeOffset now) =>
        new() { Stamp = Math.Max(Stamp + 1, now.ToUnixTimeMilliseconds()), Kept = kept };
}
