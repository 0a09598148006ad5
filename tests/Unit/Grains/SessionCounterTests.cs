using System.Buffers.Binary;
using CsCheck;

namespace SessionActors;

public sealed class SessionCounterTests
{
    private const string Session = "01234567";

    [Fact]
    public void A_number_is_counted_as_a_long_is_and_written_as_small_as_it_goes() =>
        Gen.Select(Gen.Long, Gen.Long[-4, 4]).Sample((start, by) =>
        {
            var sum = unchecked(start + by);
            if (by > 0 != sum > start && by != 0)
            {
                return true;
            }

            var (bytes, result) = Increment(Eight(start), by);
            var fits = sum is >= int.MinValue and <= int.MaxValue;
            return bytes.Length == (fits ? 4 : 8) && Number(bytes) == sum && result == $"{sum}";
        });

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, -1)]
    [InlineData(int.MaxValue - 1, 1)]
    public void What_SetInt32_wrote_is_counted_and_stays_what_GetInt32_reads(int start, int by)
    {
        var four = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(four, start);

        var (bytes, _) = Increment(four, by);

        Assert.Equal(start + by, BinaryPrimitives.ReadInt32BigEndian(bytes));
        Assert.Equal(4, bytes.Length);
    }

    [Fact]
    public void Past_32_bits_a_number_takes_8_bytes_and_back_below_4_again()
    {
        var (up, sum) = Increment(Four(int.MaxValue), 1);
        var (down, _) = Increment(up, -1);

        Assert.Equal(8, up.Length);
        Assert.Equal("2147483648", sum);
        Assert.Equal(Four(int.MaxValue), down);
    }

    [Fact]
    public void A_property_that_is_not_there_counts_as_0() => Assert.Equal(Four(5), Increment(null, 5).Bytes);

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MinValue, -1)]
    public void A_sum_past_64_bits_is_refused(long start, long by)
    {
        var refused = Assert.Throws<OverflowException>(() => Increment(Eight(start), by));

        Assert.IsType<OverflowException>(refused.InnerException);
        Assert.Contains("'n'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(9)]
    public void What_is_no_number_is_refused(int length)
    {
        var refused = Assert.Throws<FormatException>(() => Increment(new byte[length], 1));

        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }

    private static (byte[] Bytes, string Result) Increment(byte[]? before, long by)
    {
        var state = SessionState.Empty(TimeSpan.FromMinutes(20), secret: null);
        if (before is not null)
        {
            state = state.Apply(new Change(SessionDelta.Empty.Set("n", before)), new SessionActorsOptions(), Session);
        }

        var change = SessionCounter.Increment(state, "n", by, Session);
        return (change.Delta.Sets["n"].ToArray(), change.Result);
    }

    private static long Number(byte[] bytes) =>
        bytes.Length == 4 ? BinaryPrimitives.ReadInt32BigEndian(bytes) : BinaryPrimitives.ReadInt64BigEndian(bytes);

    private static byte[] Four(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Eight(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}
