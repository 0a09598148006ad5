using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SessionActors;

/// <summary>What an application asks of a session and cannot have, and what it is told.</summary>
public sealed class RefusedTests : IAsyncLifetime
{
    private WebSite _site = null!;

    public async ValueTask InitializeAsync() => _site = await WebSite.StartAsync(
        Endpoints, around: app => app.UseCookiePolicy(new CookiePolicyOptions { CheckConsentNeeded = _ => true }));

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData("0.00:00:00.999")]
    [InlineData("3650.00:00:00.001")]
    public async Task An_idle_time_out_beyond_a_limit_is_refused_where_it_is_set_and_both_limits_are_named(string ttl)
    {
        using var browser = _site.NewBrowser();
        var told = await browser.GetAsync($"/ttl/{ttl}");
        Assert.StartsWith("value: ", told, StringComparison.Ordinal);
        Assert.Contains("1 s", told, StringComparison.Ordinal);
        Assert.Contains("3650 days", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.00:00:01")]
    [InlineData("3650.00:00:00")]
    public async Task An_idle_time_out_at_a_limit_is_taken(string ttl)
    {
        using var browser = _site.NewBrowser();
        Assert.Equal("taken", await browser.GetAsync($"/ttl/{ttl}"));
    }

    [Fact]
    public async Task A_new_secret_that_cannot_be_sent_for_want_of_consent_is_not_made()
    {
        using var browser = _site.NewBrowser();
        await browser.GetAsync("/consent-and-set");
        Assert.Equal("a", await browser.GetAsync("/keys"));

        Assert.Contains("consent", await browser.GetAsync("/withdraw-and-regenerate"), StringComparison.Ordinal);
        Assert.Equal("a", await browser.GetAsync("/keys"));
    }

    [Fact]
    public async Task A_change_that_nobody_answered_for_is_stored_after_a_rotation()
    {
        using var browser = _site.NewBrowser();
        await browser.GetAsync("/consent-and-set");
        var failures = 1;
        _site.Failure = method => method == nameof(ISessionGrain.CommitAsync) && failures-- > 0
            ? SessionUnavailableException.Unknown("12345678", "no answer.")
            : null;
        await browser.GetAsync("/set-commit-and-regenerate");
        Assert.Equal("a b", await browser.GetAsync("/keys"));
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/consent-and-set", (HttpContext http) =>
        {
            http.Features.GetRequiredFeature<ITrackingConsentFeature>().GrantConsent();
            http.Session.SetString("a", "x");
        });
        app.MapGet("/ttl/{ttl}", (HttpContext http, TimeSpan ttl) =>
        {
            try
            {
                http.GetActorSession().Ttl = ttl;
                return "taken";
            }
            catch (ArgumentOutOfRangeException e)
            {
                return $"{e.ParamName}: {e.Message}";
            }
        });
        app.MapGet("/withdraw-and-regenerate", async (HttpContext http) =>
        {
            http.Features.GetRequiredFeature<ITrackingConsentFeature>().WithdrawConsent();
            var e = await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetActorSession().RegenerateAsync());
            return e.Message;
        });
        app.MapGet("/set-commit-and-regenerate", async (HttpContext http) =>
        {
            http.Session.SetString("b", "x");
            await Assert.ThrowsAsync<SessionUnavailableException>(() => http.Session.CommitAsync());
            await http.GetActorSession().RegenerateAsync();
        });
    }
}
