using System.Diagnostics.Metrics;

namespace SessionActors;

/// <summary>Every instrument of the web side. Its methods say what happened.</summary>
internal sealed class WebMetrics
{
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _imported;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _opens;

    public WebMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(SessionTelemetry.Name);
        _dropped = meter.CreateCounter<long>(
            "sessionactors.web.commits.dropped", "{commit}", "Automatic commits dropped because the session ended or got a new secret.");
        _imported = meter.CreateCounter<long>(
            "sessionactors.web.imports", "{session}", "Sessions brought over from ASP.NET Core's own.");
        _refused = meter.CreateCounter<long>(
            "sessionactors.web.cookies.refused", "{cookie}", "Cookies that this application did not issue.");
        _opens = meter.CreateCounter<long>(
            "sessionactors.web.opens", "{request}", "Times a request's cookie was to open a session, by result.");
    }

    public void OnCommitDropped() => _dropped.Add(1);

    public void OnImported() => _imported.Add(1);

    public void OnCookieRefused() => _refused.Add(1);

    public void OnOpened(SessionStanding standing) => _opens.Add(1, new KeyValuePair<string, object?>("result", standing switch
    {
        SessionStanding.Open => "open",
        SessionStanding.Superseded => "superseded",
        _ => "ended",
    }));

    public void OnNotOpened(Exception why) => _opens.Add(
        1, new KeyValuePair<string, object?>("result", "failed"), new(SessionTelemetry.ErrorType, SessionTelemetry.TypeOf(why)));
}
