using System.Collections.Immutable;

namespace SessionActors;

public sealed class SessionSnapshotTests
{
    [Fact]
    public void A_property_that_is_not_there_is_not_found()
    {
        var snapshot = new SessionSnapshot
        {
            Version = 1,
            Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty.Add("empty", default),
            Ttl = TimeSpan.FromMinutes(20),
            HasOwnTtl = false,
            Generation = 1,
        };

        Assert.False(snapshot.TryGetValue("absent", out var absent));
        Assert.Null(absent);
        Assert.True(snapshot.TryGetValue("empty", out var empty));
        Assert.Equal(0, empty.Value.Length);
    }
}
