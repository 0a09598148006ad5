using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// The authentication code of a cookie: HMAC-SHA-256. Each thread keeps what it has made ready of the key that it used last, which is four
/// fifths of the work for so short a text.
/// </summary>
internal static class CookieCode
{
    public const int ByteLength = HMACSHA256.HashSizeInBytes;

    [ThreadStatic]
    private static CookieKey? _key;

    [ThreadStatic]
    private static IncrementalHash? _ready;

    /// <summary>Works out the code of a text under a key.</summary>
    public static void Write(CookieKey key, ReadOnlySpan<byte> text, Span<byte> code)
    {
        if (_key != key)
        {
            _ready?.Dispose();
            _ready = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Secret.AsSpan());
            _key = key;
        }

        _ready!.AppendData(text);
        _ready.GetHashAndReset(code);
    }
}
