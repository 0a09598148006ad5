using System.Reflection;
using System.Runtime.CompilerServices;

namespace SessionActors.Rules;

/// <summary>The source tree that this test was built in, and the assemblies that came of it.</summary>
internal static class Repository
{
    private static readonly string[] Foreign =
        ["bin", "obj", ".git", "App_Data", "TestResults", "BenchmarkDotNet.Artifacts", "node_modules"];

    public static string Root { get; } = FindRoot();

    /// <summary>The assemblies of src, by what their folders are called.</summary>
    public static IReadOnlyDictionary<string, Assembly> Product { get; } = new SortedDictionary<string, Assembly>
    {
        ["Abstractions"] = typeof(ISessionGrain).Assembly,
        ["Grains"] = typeof(SessionActorsOptions).Assembly,
        ["Silo"] = typeof(SessionSiloOptions).Assembly,
        ["Tool"] = typeof(ToolHost).Assembly,
        ["WebAdapter"] = typeof(ActorSessionOptions).Assembly,
    };

    /// <summary>Their types, without those that a compiler wrote.</summary>
    public static IEnumerable<Type> ProductTypes { get; } = [.. Product.Values.SelectMany(a => a.GetTypes()).Where(t => !IsGenerated(t))];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The paths, relative to the root, of all files with one of these endings in these folders.</summary>
    public static IEnumerable<string> Files(string[] folders, params string[] endings) => folders
        .Select(folder => Path.Combine(Root, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
        .Where(path => !path.Split('/').Any(Foreign.Contains))
        .Where(path => endings.Length == 0 || endings.Any(e => path.EndsWith(e, StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal);

    /// <summary>Fails with all that was found, so that it is mended in one go.</summary>
    public static void None(IEnumerable<string> faults, string rule)
    {
        var found = faults.ToList();
        Assert.True(found.Count == 0, $"{rule}\n  {string.Join("\n  ", found)}");
    }

    private static bool IsGenerated(Type type) =>
        type.Name.Contains('<', StringComparison.Ordinal)
        || type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
        || type.IsDefined(typeof(System.CodeDom.Compiler.GeneratedCodeAttribute), inherit: false)
        || type.GetCustomAttributes().Any(a => a.GetType().FullName == "Microsoft.CodeAnalysis.EmbeddedAttribute")
        || (type.DeclaringType is { } outer && IsGenerated(outer));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SessionActors.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"SessionActors.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
