using CsCheck;

namespace SessionActors;

public sealed class RequestIdTests
{
    [Fact]
    public void An_id_survives_being_written_and_read() =>
        Gen.Select(Gen.ULong, Gen.ULong).Sample((high, low) =>
        {
            var id = new RequestId(high, low);
            return id.ToString().Length == 22 && RequestId.TryParse(id.ToString(), out var read) && read == id;
        });

    [Fact]
    public void What_is_no_id_is_refused_without_an_exception() =>
        Gen.String[Gen.Char[" +/=Aä\0"], 21, 23].Sample(text =>
            !RequestId.TryParse(text, out _) || !text.Any(c => " +/=ä\0".Contains(c)));
}
