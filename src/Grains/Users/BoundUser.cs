using System.Globalization;

namespace SessionActors;

/// <summary>
/// Whose session it is. The stamp is the mark of the user's sessions (see <see cref="UserMark"/>) as it was when the session was bound: a
/// session whose stamp is lower than the mark has ended. One that goes with another is not on the list.
/// </summary>
internal sealed record BoundUser(string Id, long Stamp, bool IsUnlisted = false)
{
    /// <summary>As the stores have it: the stamp, a blank (or a plus, where it is not on the list), the id.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stamp}{(IsUnlisted ? '+' : ' ')}{Id}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static BoundUser Parse(string text)
    {
        var end = text.AsSpan().IndexOfAny(' ', '+');
        return end > 0 && end < text.Length - 1
            && long.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var stamp)
                ? new BoundUser(text[(end + 1)..], stamp, IsUnlisted: text[end] == '+')
                : throw new FormatException("The session's user is not a number, a blank or a plus, and an id.");
    }
}
