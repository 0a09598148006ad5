using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// Names one mutating call, however often it is sent: a call that is repeated with the same id is applied once and answered alike.
/// 128 random bits.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.RequestId")]
public readonly record struct RequestId([property: Id(0)] ulong High, [property: Id(1)] ulong Low)
{
    /// <summary>Draws a new id.</summary>
    public static RequestId New()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return new RequestId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    /// <summary>Reads an id that <see cref="ToString"/> wrote; false where the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RequestId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        var read = text is { Length: 22 }
            && Base64Url.DecodeFromChars(text, bytes, out _, out var written) == OperationStatus.Done && written == 16;
        id = read ? new RequestId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])) : default;
        return read;
    }

    /// <summary>The id as 22 characters of base64url.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
        return Base64Url.EncodeToString(bytes);
    }
}
