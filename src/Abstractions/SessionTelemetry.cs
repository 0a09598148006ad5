using System.Diagnostics;

namespace SessionActors;

/// <summary>
/// The name of the one meter and the one activity source, and the spans of what callers wait for; they are in docs/operations.md. Where
/// nobody listens a span is null and costs nothing. None can be given a secret: of a session it has the handle.
/// </summary>
internal static class SessionTelemetry
{
    public const string Name = "SessionActors";

    /// <summary>The attribute for what went wrong: an exception's type, or a word where there is none.</summary>
    public const string ErrorType = "error.type";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Whether anybody listens to spans.</summary>
    public static bool IsTraced => Source.HasListeners();

    /// <summary>Starts a span that ends when it is disposed; null where nobody wants it.</summary>
    /// <param name="name">What is done, the same for all sessions.</param>
    /// <param name="session">To which session.</param>
    /// <param name="links">What else waits for it, besides the span that is current.</param>
    public static Activity? Start(string name, SessionHandle session, IEnumerable<ActivityLink>? links = null)
    {
        var activity = Source.StartActivity(name, ActivityKind.Internal, parentContext: default, tags: null, links);
        activity.IsOf(session);
        return activity;
    }

    /// <summary>Says which session it is about, also where that is found out on the way.</summary>
    public static void IsOf(this Activity? activity, SessionHandle session)
    {
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("session.id", session.ToString());
        }
    }

    /// <summary>Says that it failed, and not with which words: those of others may hold anything.</summary>
    public static void Fail(this Activity? activity, Exception e) => activity.Fail(TypeOf(e));

    /// <inheritdoc cref="Fail(Activity?, Exception)"/>
    public static void Fail(this Activity? activity, string errorType) =>
        activity?.SetTag(ErrorType, errorType).SetStatus(ActivityStatusCode.Error);

    /// <summary>What <see cref="ErrorType"/> says of an exception.</summary>
    public static string TypeOf(Exception e) => e.GetType().FullName!;
}
