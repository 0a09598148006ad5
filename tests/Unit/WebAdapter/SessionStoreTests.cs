using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>Sessions under ASP.NET Core's own middleware, and the indexes that lead to them.</summary>
public sealed class SessionStoreTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private WebSite _site = null!;
    private Browser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        _site = await WebSite.StartAsync(
            _ => { },
            around: app =>
            {
                app.UseSession();
                app.UseActorSessionStore();
                app.Run(AnswerAsync);
            },
            services: services =>
            {
                services.AddSession().AddActorSessionStore();
                services.AddDataProtection().UseEphemeralDataProtectionProvider();
            });
        _browser = _site.NewBrowser();
    }

    public ValueTask DisposeAsync()
    {
        _browser.Dispose();
        return _site.DisposeAsync();
    }

    [Fact]
    public async Task An_index_outlives_a_session_that_may_be_idle_for_longer_since_the_application_was_deployed_anew()
    {
        await _browser.GetAsync("/set");
        var options = _site.Services.GetRequiredService<IOptions<SessionOptions>>().Value;
        options.IdleTimeout = 2 * Hour;
        await _browser.GetAsync("/get");
        await LivesForAsync(5 * Hour);

        // Where its session has ended, the index is led to the next one.
        await Session(await _browser.GetAsync("/get")).DestroyAsync();
        options.IdleTimeout = 3 * Hour;
        await _browser.GetAsync("/set");
        await LivesForAsync(7 * Hour);

        // Never for shorter, and only once.
        options.IdleTimeout = TimeSpan.FromMinutes(1);
        var changes = _site.Calls.Count(Changes);
        await _browser.GetAsync("/get");
        await _browser.GetAsync("/get");
        Assert.Equal(changes, _site.Calls.Count(Changes));
        await LivesForAsync(7 * Hour);
    }

    [Fact]
    public async Task An_index_outlives_a_session_that_a_service_has_given_a_time_of_its_own()
    {
        var id = await _browser.GetAsync("/set");
        await Session(id).CommitAsync(SessionDelta.Empty.WithTtl(24 * Hour));

        Assert.Equal(id, await _browser.GetAsync("/get"));

        await LivesForAsync(49 * Hour);
    }

    [Fact]
    public async Task A_session_that_its_index_cannot_lead_to_is_ended_again()
    {
        await _browser.GetAsync("/set");
        await Index.DestroyAsync();

        var orphan = await _browser.GetAsync("/set");

        // Sessions and their index, which meets a tombstone the second time; and once more when the middleware commits.
        Assert.InRange(_site.Calls.Count(call => call == "CreateAsync"), 4, 6);
        await Until.TrueAsync(async () => await Session(orphan).ReadAsync() is null, "the session that nothing leads to has ended");
    }

    [Fact]
    public async Task Each_request_that_opens_one_is_counted_once_and_traced()
    {
        var opens = new ConcurrentQueue<string?>();
        var spans = new ConcurrentQueue<string?>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "sessionactors.web.opens"
                && instrument.Meter.Scope == _site.Services.GetRequiredService<IMeterFactory>())
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) => opens.Enqueue((string?)tags[0].Value));
        meters.Start();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SessionTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => spans.Enqueue(span.OperationName == "open session" ? (string?)span.GetTagItem("session.id") : null),
        };
        ActivitySource.AddActivityListener(activities);

        // Which has no cookie yet.
        var first = await _browser.GetAsync("/set");
        Assert.Empty(opens);
        await _browser.GetAsync("/get");
        await Session(first).DestroyAsync();
        var second = await _browser.GetAsync("/set");
        await _browser.GetAsync("/get");
        await Index.DestroyAsync();
        await _browser.GetAsync("/get");

        Assert.Equal(["open", "ended", "open", "ended"], opens);
        string[] known = [first, second, Index.GetPrimaryKeyString()];
        Assert.Equal([first, first, second, Index.GetPrimaryKeyString()], spans.Where(known.Contains));
    }

    private static bool Changes(string call) => call is "CommitAsync" or "CreateAsync" or "CompareAndSetAsync";

    private ISessionGrain Session(string handle) => _site.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(handle);

    // As the middleware reads its cookie.
    private ISessionGrain Index
    {
        get
        {
            var text = WebUtility.UrlDecode(_browser.Cookies.GetAllCookies().Single().Value);
            var key = _site.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("SessionMiddleware")
                .Unprotect(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')));
            return Session(SessionKey.Of(Encoding.UTF8.GetString(key)).Index.Handle);
        }
    }

    private Task LivesForAsync(TimeSpan time) =>
        Until.TrueAsync(async () => (await Index.ReadAsync())?.Ttl == time, $"the index lives for {time}");

    private static async Task AnswerAsync(HttpContext http)
    {
        var id = http.Session.Id;
        if (http.Request.Path == "/set")
        {
            http.Session.SetString("at", id);
            try
            {
                await http.Session.CommitAsync(http.RequestAborted);
            }
            catch (SessionDestroyedException)
            {
                // The answer says which one that is.
            }
        }

        await http.Response.WriteAsync(id, http.RequestAborted);
    }
}
