using System.Text;

namespace SessionActors;

/// <summary>What a name of a property must be: text that UTF-8 can write.</summary>
internal static class PropertyName
{
    /// <summary>Longest name as UTF-8, in bytes: what ASP.NET Core's own session takes.</summary>
    public const int MaxBytes = ushort.MaxValue;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>How long the name is as UTF-8.</summary>
    /// <exception cref="ArgumentException">
    /// It holds half of a surrogate pair. On its way to a silo or a store that would become the same replacement for every name.
    /// </exception>
    public static int BytesOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            return Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"The name of a session property holds half of a surrogate pair at position {e.Index}, which is no text. "
                + "Nothing was changed. Use another name.",
                nameof(name),
                e);
        }
    }
}
