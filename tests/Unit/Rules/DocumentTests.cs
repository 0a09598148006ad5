using System.Text.RegularExpressions;

namespace SessionActors.Rules;

public sealed partial class DocumentTests
{
    private static readonly string[] Pages =
        ["README.md", "src/README.md", "CONTRIBUTING.md", "CHANGELOG.md", .. Repository.Files(["docs", "bench"], ".md")];

    [Theory]
    [InlineData("README.md", 250)]
    [InlineData("CONTRIBUTING.md", 60)]
    public void A_page_is_as_long_as_people_read(string page, int most) =>
        Assert.InRange(File.ReadLines(Path.Combine(Repository.Root, page)).Count(), 1, most);

    [Fact]
    public void Every_link_leads_somewhere() => Repository.None(
        from page in Pages
        from link in Link().Matches(Repository.Read(page))
        let target = link.Groups[1].Value
        where target.Contains("://", StringComparison.Ordinal) ? !IsHttps(target) : !Exists(page, target)
        select $"{page}: {target}",
        "These links lead nowhere:");

    [Fact]
    public void Every_file_that_the_map_for_newcomers_names_is_there() => Repository.None(
        from name in CodeName().Matches(Repository.Read("CONTRIBUTING.md")).Select(m => m.Groups[1].Value)
        where !Repository.Files(["src", "tests"], [name]).Any() && !File.Exists(Path.Combine(Repository.Root, name))
        select name,
        "CONTRIBUTING.md names files that are not there:");

    [Fact]
    public void Every_piece_of_code_on_a_page_is_in_a_sample_or_a_test()
    {
        var sources = Repository.Files(["samples", "tests"], ".cs", ".razor").Select(path => Flat(Repository.Read(path))).ToList();
        // A whole program, which tests/Packages builds and runs.
        var program = Flat(Fence().Match(Repository.Read("README.md")).Groups[1].Value);

        Repository.None(
            from page in Pages
            from fence in Fence().Matches(Repository.Read(page)).Select(m => Flat(m.Groups[1].Value))
            where fence != program
            let pieces = fence.Split("// …")
            // What is left out within a line cannot be compared.
            where !pieces.Any(piece => piece.Contains('…'))
            from piece in pieces
            where !sources.Any(source => source.Contains(piece.Trim(), StringComparison.Ordinal))
            select $"{page}: {piece}",
            "These pages show code of no sample and no test: does it compile? ('// …' is where some is left out):");
    }

    [Fact]
    public void Every_kind_of_key_and_meta_field_in_Redis_is_on_its_page()
    {
        var page = Repository.Read("docs/redis.md");

        Repository.None(
            from path in Repository.Files(["src"], ".cs", ".lua")
            from name in KeyInRedis().Matches(Repository.Read(path)).Select(m => m.Value.Trim('}', '\'', '"')).Distinct()
            where !page.Contains(name, StringComparison.Ordinal)
            select $"{path}: {name}",
            "docs/redis.md does not tell of:");
    }

    // Indentation and empty lines do not count.
    private static string Flat(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    // Not fetched: what others have on their pages is their affair.
    private static bool IsHttps(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps;

    private static bool Exists(string page, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        var full = Path.GetFullPath(path, Repository.Root);
        return Directory.Exists(full) || (File.Exists(full) && (parts.Length == 1 || Anchors(full).Contains(parts[1])));
    }

    private static IEnumerable<string> Anchors(string page) =>
        Heading().Matches(File.ReadAllText(page)).Select(heading => Anchor(heading.Groups[1].Value));

    // As GitHub makes them.
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([\w/.-]+\.(?:cs|lua|txt|props|json))`")]
    private static partial Regex CodeName();

    [GeneratedRegex("""\}@\w+:|['"]@[a-z]+['"]""")]
    private static partial Regex KeyInRedis();

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
