using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// The SHA-256 of the secret in a session's cookie. The store and the grain know a secret only as this, so that whoever reads them can
/// take over nobody's session. Prints as stars.
/// </summary>
[GenerateSerializer, Immutable, Alias("SessionActors.SecretHash")]
public readonly struct SecretHash
{
    /// <summary>Length of a hash in bytes.</summary>
    public const int ByteLength = 32;

    [Id(0)]
    private readonly ulong _a;
    [Id(1)]
    private readonly ulong _b;
    [Id(2)]
    private readonly ulong _c;
    [Id(3)]
    private readonly ulong _d;

    private SecretHash(ReadOnlySpan<byte> hash)
    {
        _a = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _b = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
    }

    /// <summary>Hashes a secret.</summary>
    public static SecretHash Of(ReadOnlySpan<byte> secret)
    {
        Span<byte> hash = stackalloc byte[ByteLength];
        SHA256.HashData(secret, hash);
        return new SecretHash(hash);
    }

    /// <summary>The hash with these 32 bytes.</summary>
    /// <exception cref="ArgumentException">There are not 32 of them.</exception>
    public static SecretHash FromBytes(ReadOnlySpan<byte> hash) => hash.Length == ByteLength
        ? new SecretHash(hash)
        : throw new ArgumentException($"A secret's hash has {ByteLength} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>Writes the hash's 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>Whether both are hashes of the same secret, found out in constant time.</summary>
    public bool Matches(in SecretHash other) => ((_a ^ other._a) | (_b ^ other._b) | (_c ^ other._c) | (_d ^ other._d)) == 0;

    /// <summary>Stars.</summary>
    public override string ToString() => "***";
}
