using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Keeps the keys of Data Protection where the sessions are.</summary>
public static class ProtectionKeysExtensions
{
    /// <summary>
    /// Keeps the keys of Data Protection in the cluster, so that every server of a farm reads what another one has protected, such as the
    /// cookie of a sign-in. They have to be encrypted by a key that is not in the store: add <c>ProtectKeysWithCertificate</c>, for
    /// instance.
    /// </summary>
    /// <exception cref="InvalidOperationException">At start-up: nothing encrypts them.</exception>
    public static IDataProtectionBuilder PersistKeysToSessionActors(this IDataProtectionBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<ProtectionKeysStore>();
        builder.Services.AddOptions<KeyManagementOptions>().Configure<ProtectionKeysStore>(
            (keys, store) => keys.XmlRepository = store);
        // Before anything is protected with them.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, EncryptionCheck>());
        return builder;
    }

    /// <summary>
    /// The keys, in their grain. Data Protection asks for them rarely, and cannot wait for an answer but by holding a thread.
    /// </summary>
    private sealed class ProtectionKeysStore(IGrainFactory grains) : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements()
        {
            var keys = Task.Run(async () => await Grain.ReadAsync()).GetAwaiter().GetResult();
            return [.. keys.Select(key => XElement.Parse(key))];
        }

        public void StoreElement(XElement element, string friendlyName)
        {
            ArgumentNullException.ThrowIfNull(element);
            var key = element.ToString(SaveOptions.DisableFormatting);
            Task.Run(() => Grain.AddAsync(key)).GetAwaiter().GetResult();
        }

        private IProtectionKeysGrain Grain => grains.GetGrain<IProtectionKeysGrain>(0);
    }

    private sealed class EncryptionCheck(IOptions<KeyManagementOptions> keys) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => keys.Value.XmlEncryptor is null or NullXmlEncryptor
            ? throw new InvalidOperationException(
                "PersistKeysToSessionActors keeps the keys of Data Protection in the store of the sessions, and nothing encrypts them: "
                + "whoever reads the store could sign in as anybody. Encrypt them by a key that is elsewhere, with "
                + "ProtectKeysWithCertificate for instance.")
            : Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
