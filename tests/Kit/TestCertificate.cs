using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SessionActors;

/// <summary>A certificate for 127.0.0.1, and the authority that signed it, which no machine trusts; both in files.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly TempFolder _folder = new();

    public TestCertificate()
    {
        // The signer's validity must contain the signed one's. A machine's clock may be a little off.
        var now = TimeProvider.System.GetUtcNow();
        var (from, to) = (now.AddHours(-1), now.AddDays(1));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority of a test", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(from, to);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        request = new CertificateRequest("CN=redis of a test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var server = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(8));

        File.WriteAllText(Authority, authority.ExportCertificatePem());
        File.WriteAllText(Server, server.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The file with the authority's certificate, for who is to trust it.</summary>
    public string Authority => Path.Combine(_folder.Path, "authority.pem");

    public string Server => Path.Combine(_folder.Path, "server.pem");

    public string Key => Path.Combine(_folder.Path, "server.key");

    public void Dispose() => _folder.Dispose();
}
