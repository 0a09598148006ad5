using System.Text.RegularExpressions;

namespace SessionActors.Rules;

/// <summary>What people are told when something is wrong is on the page that says what to do.</summary>
public sealed partial class RemedyTests
{
    // Log lines and metrics have pages of their own; so have the titles of the error answers.
    private static readonly string[] Elsewhere = ["Log.cs", "Metrics.cs", "SessionProblem.cs", "StoreHealthCheck.cs"];

    // A programmer meets these where the mistake is; or nobody does, since they are caught and told as something that is on the page.
    private static readonly string[] Caught =
    [
        "ArgumentException", "OutOfRange", "FormatException", "JsonException", "Untold(", "OperationCanceled", "Unreachable",
        "ObjectDisposed", "InconsistentState", "GetManifestResourceStream",
    ];

    [Fact]
    public void Every_message_is_on_the_page_of_operation_with_its_cause_and_its_remedy()
    {
        var told = Told().ToList();

        Repository.None(
            from path in Repository.Files(["src"], ".cs")
            where !path.StartsWith("src/Tool/", StringComparison.Ordinal)
                && !Elsewhere.Any(file => path.EndsWith(file, StringComparison.Ordinal))
            from message in Messages.In(Repository.Read(path)).Distinct()
            where Sentence().IsMatch(message.Text) && !Caught.Any(kind => message.Before.Contains(kind, StringComparison.Ordinal))
                && !told.Exists(fragment => fragment.IsMatch(Unquoted(message.Text)))
            select $"{path}: {message.Text}",
            "docs/operations.md tells no remedy for (its first column names them in backticks, with … for what varies):");
    }

    // What the first columns of its tables have in backticks. What a message begins with may be filled in.
    private static IEnumerable<Regex> Told() =>
        from row in Row().Matches(Repository.Read("docs/operations.md"))
        from fragment in Code().Matches(row.Groups[1].Value)
        from text in new[] { Unquoted(fragment.Groups[1].Value), Unquoted(fragment.Groups[1].Value.Split('…', 2)[^1]) }
        where text.Length >= 10 && text.Contains(' ', StringComparison.Ordinal)
        select new Regex(string.Join(".*", text.Split('…').Select(part => Regex.Escape(part.Trim()))));

    private static string Unquoted(string text) => text.Replace("'", "", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?![.,])(?=.*\w+ \w+ \w+).*\.( |$)")]
    private static partial Regex Sentence();

    [GeneratedRegex("^\\| ([^|]+) \\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
