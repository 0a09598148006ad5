using System.Security.Cryptography;
using System.Text;

namespace SessionActors;

/// <summary>One of the scripts beside this file, as text and by the name that Redis gives it.</summary>
internal sealed class RedisScriptSource
{
    public RedisScriptSource(string name)
    {
        using var stream = typeof(RedisScriptSource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        Name = Path.GetFileNameWithoutExtension(name);
        Text = reader.ReadToEnd();
        Hash = CryptographicOperations.HashData(HashAlgorithmName.SHA1, Encoding.UTF8.GetBytes(Text));
    }

    /// <summary>The step that it is.</summary>
    public string Name { get; }

    public string Text { get; }

    public byte[] Hash { get; }
}
