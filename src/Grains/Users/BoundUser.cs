using System.Globalization;

namespace SessionActors;

/// <summary>
/// Whose session it is. The stamp is the mark of the user's sessions (see <see cref="UserMark"/>) as it was when the session was bound: a
/// session whose stamp is lower than the mark has ended. One that is not on the list may go with another that is.
/// </summary>
internal sealed record BoundUser(string Id, long Stamp, bool IsUnlisted = false, string? With = null)
{
    /// <summary>
    /// As the stores have it: the stamp; where it is not on the list a plus, and the handle of the session that it goes with, if any; a
    /// blank; the id.
    /// </summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stamp}{(IsUnlisted ? "+" + With : "")} {Id}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static BoundUser Parse(string text)
    {
        if (text.Split(' ', 2) is [var head, { Length: > 0 } id] && head.Split('+', 2) is [var number, ..] parts
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var stamp))
        {
            return new BoundUser(id, stamp, IsUnlisted: parts.Length == 2, With: parts is [_, { Length: > 0 } with] ? with : null);
        }

        throw new FormatException("The session's user is not a number, perhaps a plus and a handle, a blank, and an id.");
    }
}
