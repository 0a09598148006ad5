namespace SessionActors;

/// <summary>Sets of small numbers as text, 16 to a character and none for nothing, so that they compare and hash by value.</summary>
internal static class Bits
{
    private const int Width = 16;

    public static bool Has(string bits, int index) => index / Width < bits.Length && (bits[index / Width] & (1 << (index % Width))) != 0;

    public static string With(string bits, int index) => string.Create(
        Math.Max(bits.Length, index / Width + 1),
        (bits, index),
        (text, it) =>
        {
            text.Clear();
            it.bits.CopyTo(text);
            text[it.index / Width] |= (char)(1 << (it.index % Width));
        });

    /// <summary>The numbers from one on, each less by that.</summary>
    public static string From(string bits, int index)
    {
        if (index == 0)
        {
            return bits;
        }

        var shifted = "";
        for (var i = index; i < bits.Length * Width; i++)
        {
            shifted = Has(bits, i) ? With(shifted, i - index) : shifted;
        }

        return shifted;
    }

    /// <summary>Whether all of some numbers are among others.</summary>
    public static bool AreIn(string some, string others)
    {
        if (some.Length > others.Length)
        {
            return false;
        }

        for (var i = 0; i < some.Length; i++)
        {
            if ((some[i] & ~others[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
