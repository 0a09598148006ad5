using System.Security.Authentication;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>Says why a first connect failed, in words that lead to the mend; the client's own are meant for its programmer.</summary>
internal static class RedisRefusal
{
    public static string Why(ConfigurationOptions settings, RedisConnectionException cause)
    {
        var causes = Chain(cause).ToList();
        if (causes.OfType<AuthenticationException>().FirstOrDefault() is { } certificate)
        {
            return $"its TLS certificate is not accepted: {certificate.Message.TrimEnd('.')}. Trust the authority that signed it (in the "
                + "system's store, or by the environment variable SSL_CERT_FILE), and name the host that it is made out to.";
        }

        if (settings.Ssl && causes.OfType<IOException>().Any())
        {
            return "it does not speak TLS at this port. Name its TLS port, or leave ssl=true out.";
        }

        if (cause.Message.StartsWith("Sentinel:", StringComparison.Ordinal))
        {
            return $"no Sentinel there names a primary that answers for serviceName={settings.ServiceName}. Name the Sentinels, and the "
                + "service as they do; or leave serviceName out where there are none.";
        }

        // The client cannot tell these apart.
        return cause.FailureType != ConnectionFailureType.UnableToConnect ? $"{cause.Message.TrimEnd('.')}."
            : settings.Ssl ? "it does not answer, or asks for a certificate of the client's."
            : "it does not answer, or not like this: one that speaks TLS needs ssl=true, a Sentinel serviceName=….";
    }

    private static IEnumerable<Exception> Chain(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            yield return error;
        }
    }
}
