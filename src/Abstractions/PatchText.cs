namespace SessionActors;

/// <summary>
/// RFC 6902 documents as text, for whoever joins them and need not understand them: a document is a JSON array, so one after the other is
/// what stands between the brackets of both.
/// </summary>
internal static class PatchText
{
    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n"u8;

    /// <summary>Whether there are no operations in it.</summary>
    /// <exception cref="ArgumentException">It is no JSON array.</exception>
    public static bool IsEmpty(ReadOnlySpan<byte> operations) => Inner(operations).IsEmpty;

    /// <summary>The first operations and then the next.</summary>
    /// <exception cref="ArgumentException">One is no JSON array.</exception>
    public static byte[] Concat(ReadOnlySpan<byte> first, ReadOnlySpan<byte> next)
    {
        var one = Inner(first);
        var other = Inner(next);
        var comma = one.IsEmpty || other.IsEmpty ? ""u8 : ","u8;
        return [(byte)'[', .. one, .. comma, .. other, (byte)']'];
    }

    private static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> operations)
    {
        var text = operations.Trim(WhiteSpace);
        return text is [(byte)'[', .. var inner, (byte)']']
            ? inner.Trim(WhiteSpace)
            : throw new ArgumentException("A patch is a JSON array of RFC 6902 operations.", nameof(operations));
    }
}
