using System.Diagnostics.Metrics;

namespace SessionActors;

/// <summary>Every instrument of the web side. Its methods say what happened.</summary>
internal sealed class WebMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "SessionActors.Web";

    private readonly Counter<long> _dropped;
    private readonly Counter<long> _imported;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _superseded;

    public WebMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _dropped = meter.CreateCounter<long>(
            "sessionactors.web.commits.dropped", "{commit}", "Automatic commits dropped because the session ended or got a new secret.");
        _imported = meter.CreateCounter<long>(
            "sessionactors.web.imports", "{session}", "Sessions brought over from ASP.NET Core's own.");
        _refused = meter.CreateCounter<long>(
            "sessionactors.web.cookies.refused", "{cookie}", "Cookies that this application did not issue.");
        _superseded = meter.CreateCounter<long>(
            "sessionactors.web.openings.superseded", "{request}", "Requests that came with an old secret.");
    }

    public void OnCommitDropped() => _dropped.Add(1);

    public void OnImported() => _imported.Add(1);

    public void OnCookieRefused() => _refused.Add(1);

    public void OnSuperseded() => _superseded.Add(1);
}
