using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace SessionActors;

/// <summary>Which exception becomes which answer to the client.</summary>
internal static class SessionProblem
{
    /// <summary>Whether an exception that the application left unhandled is answered here, rather than by its own error page.</summary>
    public static bool Answers(Exception e) =>
        e is SessionConflictException or SessionLimitExceededException or UserSessionLimitException || RetryAfter(e) is not null;

    /// <summary>
    /// Turns a response that has not started into the answer and returns its body. Nothing stays of what the endpoint said: neither its
    /// redirect nor its cookies.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="e">What went wrong.</param>
    /// <param name="endpointEncoding">
    /// The Content-Encoding that the endpoint set. Another one is there because a compressing middleware around this one has begun: the
    /// body goes through it, so that its header must stay.
    /// </param>
    public static byte[] Apply(HttpResponse response, Exception e, StringValues endpointEncoding)
    {
        var headers = response.Headers;
        var isCompressed = headers.ContentEncoding != endpointEncoding;
        foreach (var name in headers.Keys.ToArray())
        {
            if (!Stays(name, isCompressed))
            {
                headers.Remove(name);
            }
        }

        var (status, title) = e switch
        {
            SessionUnavailableException => (StatusCodes.Status503ServiceUnavailable, "The session is unavailable."),
            SessionLeaseTimeoutException => (StatusCodes.Status503ServiceUnavailable, "The session is in use."),
            SessionLeaseLostException => (StatusCodes.Status503ServiceUnavailable, "The session was lost to another request."),
            SessionConflictException => (StatusCodes.Status409Conflict, "The session was changed by another request."),
            UserSessionLimitException => (StatusCodes.Status403Forbidden, "The user is signed in too often."),
            SessionLimitExceededException => (StatusCodes.Status413PayloadTooLarge, "The session is too large."),
            _ => (StatusCodes.Status500InternalServerError, "The session could not be stored."),
        };
        response.StatusCode = status;
        headers.CacheControl = "no-cache,no-store";
        headers.ContentType = "application/problem+json";
        if (RetryAfter(e) is { } pause)
        {
            headers.RetryAfter = Math.Ceiling(pause.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        // Other exceptions' messages are not written for strangers.
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new { title, status, detail = e is SessionException ? e.Message : null }, JsonSerializerOptions.Web);
        if (!isCompressed)
        {
            headers.ContentLength = body.Length;
        }

        return body;
    }

    /// <summary>When the client may try again; null where that would not help.</summary>
    private static TimeSpan? RetryAfter(Exception e) => e switch
    {
        SessionUnavailableException unavailable => unavailable.RetryAfter,
        SessionLeaseTimeoutException timeout => timeout.RetryAfter,
        SessionLeaseLostException lost => lost.RetryAfter,
        _ => null,
    };

    // Without the CORS headers a script could not even see the status.
    private static bool Stays(string name, bool isCompressed) =>
        name.Equals(HeaderNames.Vary, StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)
        || (isCompressed && name.Equals(HeaderNames.ContentEncoding, StringComparison.OrdinalIgnoreCase));
}
