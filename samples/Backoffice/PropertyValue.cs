using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace SessionActors.Backoffice;

/// <summary>Properties are bytes. These are the two ways ASP.NET Core's session writes them: numbers big-endian, text as UTF-8.</summary>
internal static class PropertyValue
{
    public static byte[] Parse(string value)
    {
        if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return Encoding.UTF8.GetBytes(value);
        }

        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    /// <summary>Text where it can be text, else a number where it has the length of one, else the bytes.</summary>
    public static string Show(ReadOnlySpan<byte> value)
    {
        var text = Encoding.UTF8.GetString(value);
        if (!text.Any(c => char.IsControl(c) || c == '\uFFFD'))
        {
            return $"\"{text}\"";
        }

        return value.Length switch
        {
            sizeof(int) => BinaryPrimitives.ReadInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
            sizeof(long) => BinaryPrimitives.ReadInt64BigEndian(value).ToString(CultureInfo.InvariantCulture),
            _ => $"0x{Convert.ToHexString(value)}",
        };
    }
}
