using System.Buffers.Binary;
using System.Globalization;

namespace SessionActors;

/// <summary>
/// Numbers in properties: 4 bytes, big-endian, as <c>ISession.SetInt32</c> writes them, for as long as they fit, so that <c>GetInt32</c>
/// reads a counter; else 8 bytes, big-endian.
/// </summary>
internal static class SessionCounter
{
    public static Change Increment(SessionState state, string name, long by, string session)
    {
        var before = state.Properties.TryGetValue(name, out var value) ? Read(value.Span, name, session) : 0;
        long after;
        try
        {
            after = checked(before + by);
        }
        catch (OverflowException e)
        {
            throw new OverflowException(
                $"{before} + {by} in property '{name}' of session {session} does not fit 64 bits; nothing was changed.", e);
        }

        return new Change(SessionDelta.Empty.Set(name, Write(after)), Result: after.ToString(CultureInfo.InvariantCulture));
    }

    private static long Read(ReadOnlySpan<byte> value, string name, string session) => value.Length switch
    {
        4 => BinaryPrimitives.ReadInt32BigEndian(value),
        8 => BinaryPrimitives.ReadInt64BigEndian(value),
        _ => throw new FormatException(
            $"Property '{name}' of session {session} has {value.Length} bytes; a number has 4 (SetInt32) or 8. It was not incremented."),
    };

    private static byte[] Write(long value)
    {
        var small = value is >= int.MinValue and <= int.MaxValue;
        var bytes = new byte[small ? 4 : 8];
        if (small)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, (int)value);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        }

        return bytes;
    }
}
