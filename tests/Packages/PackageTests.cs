using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SessionActors.Rules;

namespace SessionActors;

/// <summary>The packages, as somebody meets them who has nothing else of this repository.</summary>
public sealed partial class PackageTests(PackedProduct product) : IClassFixture<PackedProduct>
{
    private const string Tool = "SessionActors.Tool";

    /// <summary>Those that applications are built with.</summary>
    public static TheoryData<string> Packages { get; } =
        [.. Repository.Product.Keys.Select(area => $"SessionActors.{area}").Where(package => package != Tool)];

    [Fact]
    public void The_projects_of_src_are_packages_with_symbols_and_no_others()
    {
        var expected = Packages.Select(row => row.Data).Append(Tool)
            .SelectMany(package => new[] { $"{package}.{product.Version}.nupkg", $"{package}.{product.Version}.snupkg" })
            .Order(StringComparer.Ordinal);

        Assert.Equal(expected, Directory.EnumerateFiles(product.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_says_what_it_is(string package)
    {
        var manifest = product.Manifest(package);

        Assert.Equal(product.Version, Said(manifest, "version"));
        Assert.NotEqual("Package Description", Said(manifest, "description"));
        Assert.Equal("MIT", Said(manifest, "license"));
        Assert.Contains("session", Said(manifest, "tags").Split(' '));
        Assert.Equal(Repository.Read("LICENSE"), Text(package, "LICENSE"));
        Assert.NotEmpty(product.Read(package, Said(manifest, "icon")));
        Assert.Equal(ProgramOf(Repository.Read("README.md")), ProgramOf(Text(package, Said(manifest, "readme"))));
        Assert.Contains("<member name=\"", Text(package, $"lib/net10.0/{package}.xml"), StringComparison.Ordinal);
        // Of one build: each asks for the others as they were packed with it.
        Assert.All(
            manifest.Descendants("dependency").Where(other => Packages.Any(row => row.Data == other.Attribute("id")!.Value)),
            other => Assert.Equal(product.Version, other.Attribute("version")!.Value));
        // Whether and how it exports is the application's choice.
        Assert.DoesNotContain(
            manifest.Descendants("dependency"),
            other => other.Attribute("id")!.Value.StartsWith("OpenTelemetry", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_does_not_say_where_it_was_made(string package)
    {
        var repository = product.Manifest(package).Element("repository")!;
        Assert.Equal("git", repository.Attribute("type")!.Value);
        Assert.Null(repository.Attribute("url"));

        // A debug build does, for the debugger.
        var assembly = Encoding.Latin1.GetString(product.Read(package, $"lib/net10.0/{package}.dll"));
        Assert.Equal(PackedProduct.Configuration == "Debug", assembly.Contains(Repository.Root, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_silo_that_runs_alone_is_published_with_what_it_exports_by()
    {
        using var folder = new TempFolder();

        await Dotnet.RunAsync(
            Repository.Root, null, "publish", "src/Silo", "--no-build", "-c", PackedProduct.Configuration, "-o", folder.Path);

        Assert.Superset(
            new HashSet<string?> { "SessionActors.Silo.dll", "appsettings.json", "OpenTelemetry.Exporter.OpenTelemetryProtocol.dll" },
            Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).ToHashSet());
    }

    [Fact]
    public async Task The_program_of_the_readme_keeps_sessions_with_the_packages_alone()
    {
        using var folder = new TempFolder();
        var program = await BuildAsync(folder.Path);
        var app = await AppProcess.StartAsync(program, $"--contentRoot={folder.Path}");
        try
        {
            using var visitor = new Browser(app.Address);
            using var other = new Browser(app.Address);
            Assert.Equal("Visit 1", await visitor.GetAsync("/"));
            Assert.Equal("Visit 2", await visitor.GetAsync("/"));
            Assert.Equal("Visit 1", await other.GetAsync("/"));

            await app.StopAsync();
            await app.DisposeAsync();
            app = await AppProcess.StartAsync(program, $"--contentRoot={folder.Path}");

            using var returning = visitor.At(app.Address);
            Assert.Equal("Visit 3", await returning.GetAsync("/"));
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    // A blank application with what README.md says, in a folder outside of the tree; returns its program, without the ending.
    private async Task<string> BuildAsync(string folder)
    {
        var readme = Repository.Read("README.md");
        var cache = Path.Combine(folder, "cache");
        await Dotnet.RunAsync(folder, cache, "new", "web", "--name", "Blank", "--output", folder, "--framework", "net10.0", "--no-restore");
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), ProgramOf(readme), TestContext.Current.CancellationToken);
        await ConfigureAsync(folder);
        foreach (var package in AddPackage().Matches(readme).Select(line => line.Groups[1].Value))
        {
            await Dotnet.RunAsync(folder, cache, "add", "package", package, "--version", product.Version, "--no-restore");
        }

        // Advisories of today say nothing about the packages as they are; every other warning does.
        await Dotnet.RunAsync(folder, cache, "build", "-c", PackedProduct.Configuration, "-warnaserror", "-p:NuGetAudit=false");
        return Path.Combine(folder, "bin", PackedProduct.Configuration, "net10.0", "Blank");
    }

    // Besides the sources that this machine has. What the build of the tree has restored already is not fetched again.
    private async Task ConfigureAsync(string folder)
    {
        var restored = (await Dotnet.RunAsync(Repository.Root, null, "nuget", "locals", "global-packages", "--list"))
            .Split(": ", 2)[1].Trim();
        new XDocument(new XElement(
            "configuration",
            new XElement("packageSources", Entry("packed", product.Folder)),
            new XElement("fallbackPackageFolders", Entry("restored", restored)))).Save(Path.Combine(folder, "NuGet.config"));

        static XElement Entry(string key, string value) => new("add", new XAttribute("key", key), new XAttribute("value", value));
    }

    private string Text(string package, string path) => Encoding.UTF8.GetString(product.Read(package, path));

    private static string Said(XElement manifest, string name) => manifest.Element(name)!.Value;

    private static string ProgramOf(string readme) => Program().Match(readme).Groups[1].Value;

    [GeneratedRegex("^```csharp\n(using SessionActors;\n.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Program();

    [GeneratedRegex(@"^dotnet add package (\S+)", RegexOptions.Multiline)]
    private static partial Regex AddPackage();
}
