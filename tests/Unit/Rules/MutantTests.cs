using System.Diagnostics;

namespace SessionActors.Rules;

/// <summary>The mutants of tests/Mutants, which prove that the checks would notice, stay usable.</summary>
public sealed class MutantTests
{
    private const string Folder = "tests/Mutants";

    private static string[] Patches { get; } = [.. Repository.Files([Folder], ".patch")];

    private static string[] Table { get; } = [.. Repository.Read($"{Folder}/table").Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')];

    [Fact]
    public void Every_mutant_still_applies() => Repository.None(
        from patch in Patches
        let error = Apply(patch)
        where error.Length > 0
        select $"{patch}: {error}",
        "Draw these patches anew, against the source as it is now:");

    [Fact]
    public void Every_mutant_has_a_test_that_catches_it()
    {
        Assert.NotEmpty(Patches);
        Assert.Equal(
            Patches.Select(patch => Path.GetFileNameWithoutExtension(patch)!),
            Table.Select(line => line.Split(" | ")[0]).Order(StringComparer.Ordinal));
        Assert.All(Table, line => Assert.True(line.Split(" | ").Length == 4, line));
    }

    private static string Apply(string patch)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["apply", "--check", patch])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardError = true,
            // A tree without its repository is as good.
            Environment = { ["GIT_CEILING_DIRECTORIES"] = Path.GetDirectoryName(Repository.Root) },
        })!;
        var error = git.StandardError.ReadToEnd();
        git.WaitForExit();
        return git.ExitCode == 0 ? "" : error.Trim();
    }
}
