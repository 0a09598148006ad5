using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Xml.Linq;
using SessionActors.Rules;

namespace SessionActors;

/// <summary>The packages that <c>dotnet pack</c> makes of this build, in a folder that is there for these tests.</summary>
public sealed class PackedProduct : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    /// <summary>The configuration that these tests, and so all that is packed, were built in.</summary>
    public static string Configuration { get; } =
        typeof(PackedProduct).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>A version that no package of an earlier run has.</summary>
    public string Version { get; } = $"0.0.0-test.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";

    public string Folder => _folder.Path;

    public async ValueTask InitializeAsync() => await Dotnet.RunAsync(
        Repository.Root, null, "pack", "SessionActors.sln", "--no-build", "-c", Configuration, "-o", Folder,
        $"-p:MinVerVersionOverride={Version}");

    /// <summary>A file of a package, by its path there.</summary>
    public byte[] Read(string package, string path) => Read($"{package}.{Version}.nupkg", file => file.FullName == path);

    /// <summary>What a package says of itself, without the namespace of the format.</summary>
    public XElement Manifest(string package)
    {
        var manifest = XDocument.Load(new MemoryStream(Read(package, $"{package}.nuspec"))).Root!;
        foreach (var element in manifest.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName;
        }

        return manifest.Element("metadata")!;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private byte[] Read(string archive, Func<ZipArchiveEntry, bool> wanted)
    {
        using var zip = ZipFile.OpenRead(Path.Combine(Folder, archive));
        using var content = zip.Entries.Single(wanted).Open();
        using var copy = new MemoryStream();
        content.CopyTo(copy);
        return copy.ToArray();
    }
}
