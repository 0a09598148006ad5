namespace SessionActors;

/// <summary>The source tree that this test was built in.</summary>
internal static class SourceTree
{
    public static string Read(params string[] path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SessionActors.sln")))
        {
            folder = folder.Parent!;
        }

        return File.ReadAllText(Path.Combine([folder.FullName, .. path]));
    }
}
