using CsCheck;

namespace SessionActors;

public sealed class SessionTokenTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);
    private static readonly CookieKey Key = new() { Id = 7, Secret = [.. Enumerable.Repeat((byte)1, 32)] };
    private static readonly CookieKey OtherKey = new() { Id = 8, Secret = [.. Enumerable.Repeat((byte)2, 32)] };
    private static readonly CookieKeyRing Ring = new() { Keys = [OtherKey, Key] };

    [Fact]
    public void What_is_written_is_read_again()
    {
        var written = SessionToken.New(SessionHandle.New()).Created(Now, TimeSpan.FromHours(1));
        var text = written.Write(Key);
        Assert.Equal(SessionToken.TextLength, text.Length);
        Assert.Equal(TokenReading.Genuine, SessionToken.Read(text, Ring, Now, out var read));
        Assert.Equal(written.Handle, read.Handle);
        Assert.True(written.Hash.Matches(read.Hash));
        Assert.Equal(Key.Id, read.KeyId);
        Assert.Equal(Now.ToUnixTimeSeconds(), read.Issued);
        Assert.Equal(text, read.Write(Key));
    }

    [Fact]
    public void Any_other_text_is_refused()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(Key);
        var change = Gen.Select(Gen.Int[0, text.Length - 1], Gen.OneOf(Gen.Char.AlphaNumeric, Gen.Char)).Where((at, c) => text[at] != c);
        change.Sample((at, c) =>
        {
            var altered = $"{text[..at]}{c}{text[(at + 1)..]}";
            var reading = SessionToken.Read(altered, Ring, Now, out var token);
            Assert.True(reading is TokenReading.Forged or TokenReading.Malformed or TokenReading.UnknownKey, $"{reading}: {altered}");
            Assert.Equal(default, token.Handle);
        });
        Gen.String.Sample(other => Assert.Equal(TokenReading.Malformed, SessionToken.Read(other, Ring, Now, out _)));
    }

    [Fact]
    public void White_space_padding_and_other_lengths_are_refused()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(Key);
        string[] others =
        [
            text[1..], text[..^1], text + "A", text + "==", text[..^1] + "=", text[..^2] + "==", " " + text[1..], text + text,
        ];
        Assert.All(others, other => Assert.Equal(TokenReading.Malformed, SessionToken.Read(other, Ring, Now, out _)));
    }

    [Fact]
    public void A_token_under_another_key_of_the_same_id_is_forged()
    {
        var imposter = new CookieKey { Id = Key.Id, Secret = OtherKey.Secret };
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(imposter);
        Assert.Equal(TokenReading.Forged, SessionToken.Read(text, Ring, Now, out _));
    }

    [Fact]
    public void A_key_that_is_not_in_the_ring_is_unknown()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(Key);
        Assert.Equal(TokenReading.UnknownKey, SessionToken.Read(text, new CookieKeyRing { Keys = [OtherKey] }, Now, out _));
        Assert.Equal(TokenReading.UnknownKey, SessionToken.Read(text, null, Now, out _));
        Assert.Equal(TokenReading.Malformed, SessionToken.Read(text[1..] + "!", null, Now, out _));
    }

    [Fact]
    public void A_token_expires_when_its_absolute_lifetime_is_over_and_not_before()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, TimeSpan.FromSeconds(99.5)).Write(Key);
        Assert.Equal(TokenReading.Genuine, SessionToken.Read(text, Ring, Now.AddSeconds(100), out _));
        Assert.Equal(TokenReading.Expired, SessionToken.Read(text, Ring, Now.AddSeconds(101), out _));
    }

    [Fact]
    public void A_token_issued_again_keeps_its_absolute_end_and_its_secret()
    {
        var first = SessionToken.New(SessionHandle.New()).Created(Now, TimeSpan.FromSeconds(100));
        var again = first.IssuedNow(Now.AddSeconds(60));
        Assert.True(first.Hash.Matches(again.Hash));
        Assert.Equal(Now.AddSeconds(60).ToUnixTimeSeconds(), again.Issued);
        Assert.Equal(TokenReading.Genuine, SessionToken.Read(again.Write(Key), Ring, Now.AddSeconds(100), out _));
        Assert.Equal(TokenReading.Expired, SessionToken.Read(again.Write(Key), Ring, Now.AddSeconds(101), out _));
    }

    [Fact]
    public void A_token_without_a_lifetime_never_expires()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(Key);
        Assert.Equal(TokenReading.Genuine, SessionToken.Read(text, Ring, Now.AddYears(500), out _));
        var endless = SessionToken.New(SessionHandle.New()).Created(Now, TimeSpan.FromDays(365_000)).Write(Key);
        Assert.Equal(TokenReading.Genuine, SessionToken.Read(endless, Ring, Now.AddYears(500), out _));
    }

    [Fact]
    public void A_new_secret_is_another_one_for_the_same_session()
    {
        var first = SessionToken.New(SessionHandle.New());
        var second = first.WithNewSecret();
        Assert.Equal(first.Handle, second.Handle);
        Assert.False(first.Hash.Matches(second.Hash));
    }

    [Fact]
    public void A_token_prints_as_stars() => Assert.Equal("***", SessionToken.New(SessionHandle.New()).ToString());

    [Fact]
    public void Reading_a_forged_token_allocates_nothing()
    {
        var text = SessionToken.New(SessionHandle.New()).Created(Now, null).Write(new CookieKey { Id = Key.Id, Secret = OtherKey.Secret });
        SessionToken.Read(text, Ring, Now, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        SessionToken.Read(text, Ring, Now, out _);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
