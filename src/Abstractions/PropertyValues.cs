using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace SessionActors;

/// <summary>
/// Properties on their way between processes. Orleans' own codecs write each byte of a value as a field of its own, so that a session was
/// sent as twice its size.
/// </summary>
/// <param name="all">The properties by name; null for none.</param>
[Immutable]
internal readonly struct PropertyValues(ImmutableDictionary<string, ReadOnlyMemory<byte>>? all)
{
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> All => all ?? ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;
}

/// <summary>
/// Their form: the length of all that follows, how many there are, and of each the length of its name in bytes, its name in UTF-16 (which
/// holds any string as it is), the length of its value, its value. Numbers as Orleans writes them.
/// </summary>
[RegisterSerializer]
internal sealed class PropertyValuesCodec : IFieldCodec<PropertyValues>
{
    private const int BitsPerByte = 7;

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, PropertyValues value)
        where TBufferWriter : IBufferWriter<byte>
    {
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(PropertyValues), WireType.LengthPrefixed);
        var all = value.All;
        var length = LengthOf(all.Count);
        foreach (var (name, bytes) in all)
        {
            var nameLength = sizeof(char) * name.Length;
            length += LengthOf(nameLength) + nameLength + LengthOf(bytes.Length) + bytes.Length;
        }

        writer.WriteVarUInt32((uint)length);
        writer.WriteVarUInt32((uint)all.Count);
        foreach (var (name, bytes) in all)
        {
            Write(ref writer, MemoryMarshal.AsBytes(name.AsSpan()));
            Write(ref writer, bytes.Span);
        }
    }

    public PropertyValues ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        ReferenceCodec.MarkValueField(reader.Session);
        field.EnsureWireType(WireType.LengthPrefixed);
        _ = reader.ReadVarUInt32();
        var all = ImmutableDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>();
        for (var left = reader.ReadVarUInt32(); left > 0; left--)
        {
            var name = new string(MemoryMarshal.Cast<byte, char>(reader.ReadBytes(reader.ReadVarUInt32())));
            all.Add(name, reader.ReadBytes(reader.ReadVarUInt32()));
        }

        return new PropertyValues(all.ToImmutable());
    }

    private static void Write<TBufferWriter>(ref Writer<TBufferWriter> writer, ReadOnlySpan<byte> bytes)
        where TBufferWriter : IBufferWriter<byte>
    {
        writer.WriteVarUInt32((uint)bytes.Length);
        writer.Write(bytes);
    }

    private static long LengthOf(int number) => 1 + (BitOperations.Log2((uint)number | 1) / BitsPerByte);
}
