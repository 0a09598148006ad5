namespace SessionActors;

/// <summary>A folder that is there for one test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("session-actors-");

    public string Path => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);
}
