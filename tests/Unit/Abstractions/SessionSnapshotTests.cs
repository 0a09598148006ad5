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

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 7 }, 7L)]
    [InlineData(new byte[] { 255, 255, 255, 255 }, -1L)]
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 0 }, 1L << 32)]
    public void A_number_is_read_as_it_is_counted(byte[] bytes, long number)
    {
        Assert.Equal(number, With(bytes).GetNumber("n"));
        Assert.Null(Snapshot.GetNumber("n"));
        Assert.Contains("'a' has 1 bytes", Assert.Throws<FormatException>(() => Snapshot.GetNumber("a")).Message, StringComparison.Ordinal);
    }

    private static SessionSnapshot With(byte[] number) => new()
    {
        Version = 1,
        Properties = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty.Add("n", number),
        Ttl = TimeSpan.FromMinutes(20),
        HasOwnTtl = false,
        Generation = 0,
    };
}
