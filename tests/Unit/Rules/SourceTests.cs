using System.Text.RegularExpressions;

namespace SessionActors.Rules;

public sealed partial class SourceTests
{
    private const int LongestLine = 140;

    private static readonly string[] Code = ["src", "samples", "tests", "bench"];

    [Theory]
    [InlineData("src", 300)]
    [InlineData("samples", 300)]
    [InlineData("bench", 300)]
    [InlineData("tests", 400)]
    public void No_file_is_longer_than_one_can_keep_in_mind(string folder, int most) => Repository.None(
        from path in Repository.Files([folder], ".cs", ".lua")
        let lines = File.ReadLines(Path.Combine(Repository.Root, path)).Count()
        where lines > most
        select $"{path} has {lines} lines",
        $"A file in {folder} has {most} lines at most. Split these by what they are responsible for:");

    [Fact]
    public void No_line_is_longer_than_140_characters() => Repository.None(
        from path in Repository.Files(Code, ".cs", ".lua")
        from line in File.ReadLines(Path.Combine(Repository.Root, path)).Select((text, i) => (text, number: i + 1))
        where line.text.Length > LongestLine
        select $"{path}:{line.number} has {line.text.Length}",
        $"Break these lines, which are longer than {LongestLine} characters:");

    [Fact]
    public void Nothing_switches_the_compilers_eye_off() => Repository.None(
        Lines(Code, [".cs"], Suppressed()),
        "No #pragma, no #region, no suppression, no skipped test. Mend what is complained about:");

    [Fact]
    public void Nothing_names_a_folder_of_somebodys_machine() => Repository.None(
        Lines([.. Code, "docs", ".ci"], [], MachinePath()).Concat(LinesOf(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"], MachinePath())),
        "These paths exist on one machine only:");

    [Fact]
    public void Nothing_is_left_for_later() => Repository.None(
        Lines(Code, [".cs", ".lua"], Later()),
        "Do these now, or say in the documentation what is not there:");

    private static IEnumerable<string> Lines(string[] folders, string[] endings, Regex regex) =>
        LinesOf(Repository.Files(folders, endings).Where(path => !path.StartsWith("tests/Unit/Rules/", StringComparison.Ordinal)), regex);

    private static IEnumerable<string> LinesOf(IEnumerable<string> paths, Regex regex) =>
        from path in paths
        from line in File.ReadLines(Path.Combine(Repository.Root, path)).Select((text, i) => (text, number: i + 1))
        where regex.IsMatch(line.text)
        select $"{path}:{line.number}: {line.text.Trim()}";

    [GeneratedRegex(@"^\s*#(pragma|region)|SuppressMessage|\bSkip\s*=")]
    private static partial Regex Suppressed();

    [GeneratedRegex(@"(?<![\w.])(/home/|/Users/|/root/|/work/|/tmp/|[A-Z]:\\)")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Later();
}
