using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SessionActors;

/// <summary>Keys of Data Protection in the cluster.</summary>
public sealed class ProtectionKeysTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Who_signs_in_at_one_server_is_signed_in_at_the_other_and_Redis_has_no_key_in_plain()
    {
        var certificate = Path.Combine(_folder.Path, "keys.pfx");
        await File.WriteAllBytesAsync(certificate, NewCertificate(), TestContext.Current.CancellationToken);
        await using var redis = await RedisServer.StartAsync();
        await using var first = await StartAsync(redis, certificate);
        await using var second = await StartAsync(redis, certificate);
        using var visitor = new Browser(first.Address);

        await visitor.GetAsync("/sign-in/ada");

        using var elsewhere = visitor.At(second.Address);
        Assert.Equal("ada ada", await elsewhere.GetAsync("/user"));
        var database = await redis.DatabaseAsync();
        var stored = (await database.HashGetAllAsync("session:@state:protectionkeys/protectionkeys/0")).Select(field => $"{field.Value}");
        var text = string.Concat(stored);
        Assert.Contains("EncryptedData", text, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_something_that_encrypts_them_the_application_does_not_start()
    {
        var (code, output) = await AppProcess.RunAsync(Site.App, "--SessionActors:DataFolder=:memory:", "--ProtectionCertificate=");

        Assert.NotEqual(0, code);
        Assert.Contains("ProtectKeysWithCertificate", output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static Task<AppProcess> StartAsync(RedisServer redis, string certificate) =>
        AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={redis.Address}", $"--ProtectionCertificate={certificate}");

    private static byte[] NewCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=keys", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12);
    }
}
