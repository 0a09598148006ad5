using CsCheck;

namespace SessionActors;

public sealed class SessionHandleTests
{
    [Fact]
    public void A_handle_survives_being_written_and_read() =>
        Gen.Byte.Array[16].Sample(bytes =>
        {
            var handle = SessionHandle.FromBytes(bytes);
            var read = new byte[16];
            SessionHandle.Parse(handle.ToString()).CopyTo(read);
            return handle.ToString().Length == SessionHandle.TextLength && read.AsSpan().SequenceEqual(bytes);
        });

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAB")]
    [InlineData("AAAAAAAAAAAAAAAAAAAA A")]
    [InlineData("AAAAAAAAAAAAAAAAAAAA=A")]
    [InlineData("AAAAAAAAAAA+AAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAÄAAAAAAAAAA")]
    public void What_is_no_handle_is_refused(string? text) => Assert.False(SessionHandle.TryParse(text, out _));

    [Fact]
    public void Any_text_that_is_read_is_written_back_as_it_was() =>
        Gen.String[Gen.Char["AQgw019az-_ =+"], 20, 23].Sample(text =>
            !SessionHandle.TryParse(text, out var handle) || handle.ToString() == text);

    [Fact]
    public void Logs_name_a_handle_by_eight_digits_of_its_hash()
    {
        var handle = SessionHandle.Parse("AAAAAAAAAAAAAAAAAAAAAA");

        Assert.Matches("^[0-9a-f]{8}$", handle.LogName);
        Assert.DoesNotContain(handle.LogName, handle.ToString(), StringComparison.Ordinal);
    }
}
