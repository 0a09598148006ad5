using System.Globalization;

namespace SessionActors;

/// <summary>Columns for people, and text from anywhere made harmless for their terminals.</summary>
internal static class TextTable
{
    /// <summary>Prints rows below their heads, each column as wide as its widest cell.</summary>
    public static void Print(string[] head, IEnumerable<string[]> rows)
    {
        string[][] lines = [head, .. rows.Select(row => Array.ConvertAll(row, Plain))];
        var widths = head.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        foreach (var line in lines)
        {
            Console.WriteLine(string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    /// <summary>
    /// The text without what a terminal would obey or hide: names of properties and devices come from strangers. Control characters and the
    /// like become <c>\uXXXX</c>.
    /// </summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")
            : $"{c}"));
}
