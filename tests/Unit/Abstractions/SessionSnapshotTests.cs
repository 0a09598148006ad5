using System.Collections.Immutable;

namespace SessionActors;

public sealed class SessionSnapshotTests
{
    private static readonly SessionSnapshot Snapshot = new()
    {
        Version = 1,
        Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty.Add("a", "x"u8.ToArray()).Add("empty", Array.Empty<byte>()),
        Ttl = TimeSpan.FromMinutes(20),
        HasOwnTtl = false,
        Generation = 0,
    };

    [Theory]
    [InlineData("a", 1)]
    [InlineData("empty", 0)]
    public void A_property_that_is_there_has_a_value_be_it_empty(string name, int length)
    {
        Assert.True(Snapshot.TryGetValue(name, out var value));
        Assert.Equal(length, value.Value.Length);
        Assert.Equal(length, Snapshot.GetString(name)!.Length);
    }

    [Fact]
    public void A_property_that_is_not_there_has_none()
    {
        Assert.False(Snapshot.TryGetValue("b", out var value));
        Assert.Null(value);
        Assert.Null(Snapshot.GetString("b"));
    }
}
