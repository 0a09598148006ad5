using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace SessionActors;

/// <summary>
/// The public name of a session: the key of its grain and of its entry in the store. It is no secret (the cookie carries one besides it),
/// so services may keep it, pass it on and log it. 128 random bits, written as 22 characters of base64url.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SessionHandle")]
public readonly record struct SessionHandle
{
    /// <summary>Length of a handle in bytes.</summary>
    public const int ByteLength = 16;

    /// <summary>Length of a handle as text.</summary>
    public const int TextLength = 22;

    [Id(0)]
    private readonly string? _text;

    private SessionHandle(string text) => _text = text;

    /// <summary>The first 8 hexadecimal digits of the handle's SHA-256: what logs and messages call the session.</summary>
    public string LogName => LogNameOf(ToString());

    /// <summary>Draws a new handle.</summary>
    public static SessionHandle New()
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        RandomNumberGenerator.Fill(bytes);
        return FromBytes(bytes);
    }

    /// <summary>The handle with these 16 bytes.</summary>
    /// <exception cref="ArgumentException">There are not 16 of them.</exception>
    public static SessionHandle FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == ByteLength
        ? new SessionHandle(Base64Url.EncodeToString(bytes))
        : throw new ArgumentException($"A session handle has {ByteLength} bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>Reads a handle that <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no handle.</exception>
    public static SessionHandle Parse(string text) => TryParse(text, out var handle)
        ? handle
        : throw new FormatException("A session handle is 22 characters of base64url, as SessionHandle.New() makes them.");

    /// <summary>Reads a handle that <see cref="ToString"/> wrote; false where the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionHandle handle)
    {
        // 22 characters hold 132 bits. Only four last characters leave the 4 spare ones zero; a second spelling would be a second grain.
        if (text is { Length: TextLength } && text[^1] is 'A' or 'Q' or 'g' or 'w' && Base64Url.IsValid(text.AsSpan(), out _)
            && !text.AsSpan().ContainsAny(" \t\r\n="))
        {
            handle = new SessionHandle(text);
            return true;
        }

        handle = default;
        return false;
    }

    /// <summary>Writes the handle's 16 bytes.</summary>
    public void CopyTo(Span<byte> destination) => Base64Url.DecodeFromChars(ToString(), destination);

    /// <summary>The handle as text: what <c>GetGrain&lt;ISessionGrain&gt;</c> takes.</summary>
    public override string ToString() =>
        _text ?? throw new InvalidOperationException("This SessionHandle is default(SessionHandle) and names no session.");

    /// <summary>Lets a handle be given wherever Orleans takes a grain's key.</summary>
    public static implicit operator string(SessionHandle handle) => handle.ToString();

    internal static string LogNameOf(string grainKey) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(grainKey)), 0, 4);
}
