using System.Text.Json;

namespace SessionActors;

/// <summary>
/// How the elements of an array of objects are told apart: by a member that all of them have, each with another value. Called <c>id</c>,
/// or something with <c>Id</c> at its end, it is taken as it is; any other must be text.
/// </summary>
internal sealed class ElementIdentity
{
    private readonly string _member;
    private readonly bool _isId;

    private ElementIdentity(string member)
    {
        _member = member;
        _isId = IsId(member);
    }

    /// <summary>The identity that these elements have in common; null where there is none.</summary>
    public static ElementIdentity? Find(JsonElement[] loaded, JsonElement[] before, JsonElement[] after)
    {
        foreach (var member in after[0].EnumerateObject().Select(member => member.Name).OrderBy(Rank))
        {
            var was = Values(member, before);
            if (Values(member, after) is not null && was is not null && Values(member, loaded) is { } stored && stored.SequenceEqual(was))
            {
                return new ElementIdentity(member);
            }
        }

        return null;
    }

    /// <summary>Where each of these elements, changed or not, was before; -1 where it was not there.</summary>
    public int[] PlacesOf(JsonElement[] after, JsonElement[] before)
    {
        var places = before.Index().ToDictionary(element => ValueOf(element.Item), element => element.Index);
        return Array.ConvertAll(after, element => places.GetValueOrDefault(ValueOf(element), -1));
    }

    /// <summary>
    /// What tells the element from another that has come to its place: its id, or else all its texts that this change leaves alone, since a
    /// text may be unique by chance.
    /// </summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Marks(JsonElement loaded, JsonElement before, JsonElement? after)
    {
        var left = after is { } now ? JsonText.MembersOf(now) : null;
        var known = JsonText.MembersOf(before);
        return JsonText.MembersOf(loaded).Where(member => _isId
            ? member.Key == _member
            : IsText(member.Value) && known.TryGetValue(member.Key, out var old) && JsonText.AreSame(old, member.Value)
                && (left is null || (left.TryGetValue(member.Key, out var value) && JsonText.AreSame(old, value))));
    }

    private string ValueOf(JsonElement element) => element.GetProperty(_member).ToString();

    private static string[]? Values(string member, JsonElement[] elements)
    {
        var values = new string[elements.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (!elements[i].TryGetProperty(member, out var value)
                || !(IsText(value) || (IsId(member) && value.ValueKind == JsonValueKind.Number)))
            {
                return null;
            }

            values[i] = value.ToString();
        }

        return values.Distinct().Count() == values.Length ? values : null;
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String;

    private static bool IsId(string member) => Rank(member) < 2;

    private static int Rank(string member) =>
        member.Equals("id", StringComparison.OrdinalIgnoreCase) ? 0
        : member.EndsWith("Id", StringComparison.Ordinal) || member.EndsWith("_id", StringComparison.Ordinal) ? 1
        : 2;
}
