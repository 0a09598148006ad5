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
    private const int Length = 16, DrawnAtOnce = 32 * Length;

    // The system is asked for many ids at a time: the question costs a microsecond, as much for 32 as for one.
    [ThreadStatic]
    private static byte[]? _drawn;

    [ThreadStatic]
    private static int _used;

    /// <summary>Draws a new id.</summary>
    public static RequestId New()
    {
        if (_drawn is null || _used == DrawnAtOnce)
        {
            _drawn ??= new byte[DrawnAtOnce];
            RandomNumberGenerator.Fill(_drawn);
            _used = 0;
        }

        var bytes = _drawn.AsSpan(_used, Length);
        _used += Length;
        return new RequestId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    /// <summary>Reads an id that <see cref="ToString"/> wrote; false where the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RequestId id)
    {
        Span<byte> bytes = stackalloc byte[Length];
        var read = text is { Length: 22 }
            && Base64Url.DecodeFromChars(text, bytes, out _, out var written) == OperationStatus.Done && written == Length;
        id = read ? new RequestId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])) : default;
        return read;
    }

    /// <summary>The id as 22 characters of base64url.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
        return Base64Url.EncodeToString(bytes);
    }
}
