using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// What the cookie of a ticket in the store has, inside what cookie authentication encrypts: the handle of the ticket's session and the
/// secret that opens it, 32 bytes as 43 characters of base64url.
/// </summary>
internal readonly struct TicketKey
{
    private const int SecretLength = 16;
    private const int TextLength = 43;

    private readonly string _text;

    private TicketKey(ReadOnlySpan<byte> bytes)
    {
        _text = Base64Url.EncodeToString(bytes);
        Handle = SessionHandle.FromBytes(bytes[..SessionHandle.ByteLength]);
        Hash = SecretHash.Of(bytes[SessionHandle.ByteLength..]);
    }

    public SessionHandle Handle { get; }

    /// <summary>The hash of the secret: all of it that is stored.</summary>
    public SecretHash Hash { get; }

    public static TicketKey New()
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength + SecretLength];
        SessionHandle.New().CopyTo(bytes);
        RandomNumberGenerator.Fill(bytes[SessionHandle.ByteLength..]);
        return new TicketKey(bytes);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; false where the text is something else.</summary>
    public static bool TryParse(string text, out TicketKey key)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength + SecretLength];
        key = default;
        if (text.Length != TextLength || Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done
            || written != bytes.Length)
        {
            return false;
        }

        key = new TicketKey(bytes);
        return key._text == text;
    }

    public override string ToString() => _text;
}
