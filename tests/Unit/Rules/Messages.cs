using System.Text;
using System.Text.RegularExpressions;

namespace SessionActors.Rules;

/// <summary>
/// The texts in a source file, those that are joined by <c>+</c> in one, with <c>…</c> for what is filled in when the program runs. Options
/// and constants that are filled in are named.
/// </summary>
internal sealed partial class Messages(string source)
{
    private int _at;

    /// <summary>All of a file's texts, each with the code before it in its statement.</summary>
    public static IEnumerable<(string Before, string Text)> In(string source) => new Messages(source).Read();

    private IEnumerable<(string Before, string Text)> Read()
    {
        while (_at < source.Length)
        {
            if (Here("//"))
            {
                _at = End("\n");
            }
            else if (Here("\"\"\""))
            {
                // A script, not a message.
                _at += 3;
                _at = End("\"\"\"");
            }
            else if (Here("@\""))
            {
                // A pattern.
                _at += 2;
                _at = End("\"");
            }
            else if (source[_at] == '\'')
            {
                _at = Character().Match(source, _at) is { Success: true } character ? _at + character.Length : _at + 1;
            }
            else if (Here("\"") || Here("$\""))
            {
                var start = source.LastIndexOfAny([';', '{', '}'], _at) + 1;
                yield return (source[start.._at], Joined());
            }
            else
            {
                _at++;
            }
        }
    }

    private string Joined()
    {
        var text = new StringBuilder();
        do
        {
            text.Append(One());
            _at += Plus().Match(source, _at).Length;
        }
        while (Here("\"") || Here("$\""));
        return text.ToString();
    }

    private string One()
    {
        var isFilledIn = source[_at] == '$';
        _at += isFilledIn ? 2 : 1;
        var text = new StringBuilder();
        while (source[_at] != '"')
        {
            if (isFilledIn && source[_at] == '{' && source[_at + 1] != '{')
            {
                text.Append(Named(Hole()));
            }
            else
            {
                _at += source[_at] == '\\' || (isFilledIn && source[_at] is '{' or '}') ? 1 : 0;
                text.Append(source[_at++]);
            }
        }

        _at++;
        return text.ToString();
    }

    private string Hole()
    {
        var start = ++_at;
        while (source[_at] != '}')
        {
            if (Here("\"") || Here("$\""))
            {
                One();
            }
            else if (source[_at] == '{')
            {
                Hole();
            }
            else
            {
                _at++;
            }
        }

        return source[start.._at++];
    }

    private string Named(string hole)
    {
        if (Option().Match(hole) is { Success: true } option)
        {
            return $"SessionActors:{(option.Groups[1].Success ? option.Groups[1].Value : "X")} = …";
        }

        if (NameOf().Match(hole) is { Success: true } name)
        {
            return name.Groups[1].Value;
        }

        if (hole is "SessionActorsOptions.Section" or "Section")
        {
            return "SessionActors";
        }

        // A constant of this file, made of a text.
        var constant = Regex.Match(source, $@"const string {Regex.Escape(hole)} = (?=\$?"")");
        return hole.All(char.IsLetter) && constant.Success
            ? new Messages(source) { _at = constant.Index + constant.Length }.One()
            : "…";
    }

    private bool Here(string text) => string.CompareOrdinal(source, _at, text, 0, text.Length) == 0;

    private int End(string text) =>
        source.IndexOf(text, _at, StringComparison.Ordinal) is >= 0 and var at ? at + text.Length : source.Length;

    [GeneratedRegex(@"\G'(\\.[^']*|[^\\'])'")]
    private static partial Regex Character();

    [GeneratedRegex(@"\G\s*\+\s*(?=\$?"")|\G")]
    private static partial Regex Plus();

    [GeneratedRegex(@"^Named\((?:nameof\((?:\w+\.)*(\w+)\)|name, )")]
    private static partial Regex Option();

    [GeneratedRegex(@"^nameof\((?:\w+\.)*(\w+)\)$")]
    private static partial Regex NameOf();
}
