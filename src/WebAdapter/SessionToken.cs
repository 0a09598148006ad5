using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>What came of reading a cookie.</summary>
internal enum TokenReading
{
    /// <summary>It is ours, and still good.</summary>
    Genuine,

    /// <summary>It is ours, and the session's absolute lifetime is over.</summary>
    Expired,

    /// <summary>It was not written by <see cref="SessionToken.Write"/>.</summary>
    Malformed,

    /// <summary>It names a key that is not in the ring.</summary>
    UnknownKey,

    /// <summary>Its authentication code is wrong.</summary>
    Forged,
}

/// <summary>
/// What a session cookie carries: the handle, which names the session, and the secret, which opens it. Prints as stars.
/// <para>
/// As text it is base64url of 78 bytes, 104 characters without padding or spare bits, so there is one spelling. Numbers are big-endian.
/// </para>
/// <code>
/// offset  bytes
///      0      1  version of this format: 1
///      1      4  id of the key
///      5      5  when it was issued, in seconds since 1970
///     10      4  seconds from then to the end of the session's absolute lifetime; 0 where it has none
///     14     16  handle
///     30     16  secret
///     46     32  HMAC-SHA-256 of all before, under the key
/// </code>
/// </summary>
internal readonly struct SessionToken
{
    public const int TextLength = 104;

    private const int ByteLength = 78;
    private const byte FormatVersion = 1;
    private const int KeyIdAt = 1;
    private const int IssuedAt = 5;
    private const int LifetimeAt = 10;
    private const int HandleAt = 14;
    private const int SecretAt = 30;
    private const int CodeAt = 46;

    private readonly UInt128 _secret;
    private readonly uint _lifetime;

    private SessionToken(SessionHandle handle, UInt128 secret, uint keyId, long issued, uint lifetime)
    {
        Handle = handle;
        _secret = secret;
        KeyId = keyId;
        Issued = issued;
        _lifetime = lifetime;
    }

    /// <summary>The public name of the session.</summary>
    public SessionHandle Handle { get; }

    /// <summary>The key that it was read with.</summary>
    public uint KeyId { get; }

    /// <summary>When it was written, in seconds since 1970.</summary>
    public long Issued { get; }

    /// <summary>The hash of the secret: all that leaves the web side.</summary>
    public SecretHash Hash
    {
        get
        {
            Span<byte> secret = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(secret, _secret);
            return SecretHash.Of(secret);
        }
    }

    /// <summary>Draws a secret for a session.</summary>
    public static SessionToken New(SessionHandle handle) => new(handle, DrawSecret(), keyId: 0, issued: 0, lifetime: 0);

    /// <summary>A session with a secret that was not drawn for it: the first 16 of these bytes.</summary>
    public static SessionToken Of(SessionHandle handle, ReadOnlySpan<byte> secret) =>
        new(handle, BinaryPrimitives.ReadUInt128BigEndian(secret), keyId: 0, issued: 0, lifetime: 0);

    /// <summary>The same session under a secret drawn now.</summary>
    public SessionToken WithNewSecret() => new(Handle, DrawSecret(), KeyId, Issued, _lifetime);

    /// <summary>The token of a session that was created now, with its absolute lifetime if it has one.</summary>
    public SessionToken Created(DateTimeOffset now, TimeSpan? lifetime)
    {
        // 0 stands for none, so a lifetime is at least 1; what does not fit in 136 years has no end that anybody will see.
        var seconds = lifetime is { } end ? Math.Max(Math.Ceiling(end.TotalSeconds), 1) : 0;
        return new SessionToken(Handle, _secret, KeyId, now.ToUnixTimeSeconds(), seconds > uint.MaxValue ? 0 : (uint)seconds);
    }

    /// <summary>The same token issued now; the absolute end stays where it is.</summary>
    public SessionToken IssuedNow(DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds();
        var left = _lifetime == 0 ? 0 : (uint)Math.Clamp(Issued + _lifetime - seconds, 1, uint.MaxValue);
        return new SessionToken(Handle, _secret, KeyId, seconds, left);
    }

    /// <summary>Writes the cookie.</summary>
    public string Write(CookieKey key)
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        Span<byte> issued = stackalloc byte[8];
        bytes[0] = FormatVersion;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[KeyIdAt..], key.Id);
        BinaryPrimitives.WriteInt64BigEndian(issued, Issued);
        issued[3..].CopyTo(bytes[IssuedAt..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[LifetimeAt..], _lifetime);
        Handle.CopyTo(bytes[HandleAt..SecretAt]);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[SecretAt..], _secret);
        CookieCode.Write(key, bytes[..CodeAt], bytes[CodeAt..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>
    /// Reads a cookie. Without a ring it finds out only whether the text has the form of a cookie, in which case the answer is
    /// <see cref="TokenReading.UnknownKey"/>. The token is there where it is genuine or expired.
    /// </summary>
    public static TokenReading Read(ReadOnlySpan<char> text, CookieKeyRing? ring, DateTimeOffset now, out SessionToken token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[ByteLength];
        // White space and padding, which the decoder allows, make fewer than 78 bytes of 104 characters. (TryDecodeFromChars throws on
        // other letters, its name notwithstanding.)
        if (text.Length != TextLength || Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done
            || written != ByteLength || bytes[0] != FormatVersion)
        {
            return TokenReading.Malformed;
        }

        var keyId = BinaryPrimitives.ReadUInt32BigEndian(bytes[KeyIdAt..]);
        if (ring is null || Find(ring, keyId) is not { } key)
        {
            return TokenReading.UnknownKey;
        }

        Span<byte> code = stackalloc byte[CookieCode.ByteLength];
        CookieCode.Write(key, bytes[..CodeAt], code);
        if (!CryptographicOperations.FixedTimeEquals(code, bytes[CodeAt..]))
        {
            return TokenReading.Forged;
        }

        Span<byte> issued = stackalloc byte[8];
        issued.Clear();
        bytes[IssuedAt..LifetimeAt].CopyTo(issued[3..]);
        token = new SessionToken(
            SessionHandle.FromBytes(bytes[HandleAt..SecretAt]),
            BinaryPrimitives.ReadUInt128BigEndian(bytes[SecretAt..]),
            keyId,
            BinaryPrimitives.ReadInt64BigEndian(issued),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[LifetimeAt..]));
        var isOver = token._lifetime > 0 && token.Issued + token._lifetime < now.ToUnixTimeSeconds();
        return isOver ? TokenReading.Expired : TokenReading.Genuine;
    }

    /// <summary>Stars.</summary>
    public override string ToString() => "***";

    private static UInt128 DrawSecret()
    {
        Span<byte> secret = stackalloc byte[16];
        RandomNumberGenerator.Fill(secret);
        return BinaryPrimitives.ReadUInt128BigEndian(secret);
    }

    private static CookieKey? Find(CookieKeyRing ring, uint keyId)
    {
        foreach (var key in ring.Keys)
        {
            if (key.Id == keyId)
            {
                return key;
            }
        }

        return null;
    }
}
