using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SessionActors;

public sealed class ActorSessionOptionsTests
{
    [Fact]
    public void The_defaults_are_those_of_the_framework_and_valid()
    {
        var options = Read([]);
        Assert.Equal(".AspNetCore.Session", options.Cookie.Name);
        Assert.Equal("/", options.Cookie.Path);
        Assert.True(options.Cookie.HttpOnly);
        Assert.Equal(SameSiteMode.Lax, options.Cookie.SameSite);
        Assert.False(options.Cookie.IsEssential);
        Assert.Equal(CookieSecurePolicy.SameAsRequest, options.Cookie.SecurePolicy);
        Assert.Equal(UnavailableBehaviour.Fail, options.OnUnavailable);
        Assert.Equal(ConflictBehaviour.LastWriterWins, options.OnConflict);
        Assert.Equal(TimeSpan.FromMinutes(1), options.IOTimeout);
    }

    [Fact]
    public void The_section_is_read_and_the_delegate_has_the_last_word()
    {
        var options = Read(
            [
                new("SessionActors:Cookie:Name", "a"),
                new("SessionActors:OnUnavailable", "Ignore"),
                new("SessionActors:OnConflict", "Refuse"),
                new("SessionActors:IOTimeout", "00:00:02"),
            ],
            o => o.Cookie.Name = "b");
        Assert.Equal("b", options.Cookie.Name);
        Assert.Equal(UnavailableBehaviour.Ignore, options.OnUnavailable);
        Assert.Equal(ConflictBehaviour.Refuse, options.OnConflict);
        Assert.Equal(TimeSpan.FromSeconds(2), options.IOTimeout);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        var e = Assert.Throws<OptionsValidationException>(() => Read([], o =>
        {
            o.Cookie.Name = "a b";
            o.Cookie.Expiration = TimeSpan.FromDays(1);
            o.Cookie.SameSite = SameSiteMode.None;
            o.Cookie.SecurePolicy = CookieSecurePolicy.None;
            o.OnUnavailable = (UnavailableBehaviour)9;
            o.OnConflict = (ConflictBehaviour)9;
            o.IOTimeout = TimeSpan.Zero;
            o.HeaderName = "a b";
            o.AbsoluteLifetime = TimeSpan.Zero;
            o.OnOldSecret = (OldSecretBehaviour)9;
        }));
        string[] told =
        [
            "Cookie:Name is 'a b'", "Expiration", "SameSite None", "OnUnavailable is 9", "OnConflict is 9", "IOTimeout is 00:00:00",
            "HeaderName is 'a b'", "AbsoluteLifetime is 00:00:00", "OnOldSecret is 9",
        ];
        Assert.Equal(told.Length, e.Failures.Count());
        Assert.All(told, text => Assert.Contains(text, e.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("IOTimeout", "30", "30.00:00:00")]
    [InlineData("iotimeout", " 30 ", "30.00:00:00")]
    [InlineData("IOTimeout", "24:00:00", "24.00:00:00")]
    [InlineData("Cookie:MaxAge", "30", "30.00:00:00")]
    public void A_time_that_would_be_days_by_surprise_is_refused(string option, string value, string days)
    {
        var e = Assert.Throws<OptionsValidationException>(() => Read([new($"SessionActors:{option}", value)]));
        var failure = Assert.Single(e.Failures);
        Assert.StartsWith($"SessionActors:{option} = {value} would be ", failure, StringComparison.Ordinal);
        Assert.EndsWith($"with days before a point, such as {days}.", failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30.00:00:00")]
    [InlineData("30:00:00:00")]
    [InlineData("23:59:59")]
    public void A_time_that_says_what_it_is_is_read(string value) =>
        Assert.Equal(TimeSpan.Parse(value, CultureInfo.InvariantCulture), Read([new("SessionActors:IOTimeout", value)]).IOTimeout);

    [Theory]
    [InlineData("__Host-s", "/app")]
    [InlineData("__Secure-s", "/")]
    public void A_prefix_that_browsers_check_is_checked_first(string name, string path) =>
        Assert.Throws<OptionsValidationException>(() => Read([], o =>
        {
            o.Cookie.Name = name;
            o.Cookie.Path = path;
            o.Cookie.SecurePolicy = path == "/" ? CookieSecurePolicy.None : CookieSecurePolicy.Always;
        }));

    [Fact]
    public void Adding_twice_registers_once()
    {
        var services = new ServiceCollection();
        services.AddActorSession();
        var count = services.Count;
        services.AddActorSession();
        Assert.Equal(count, services.Count);
    }

    [Fact]
    public void Using_it_without_its_services_says_which_call_is_missing()
    {
        var bare = new ApplicationBuilder(new ServiceCollection().BuildServiceProvider());
        var first = Assert.Throws<InvalidOperationException>(() => bare.UseActorSession());
        Assert.Contains("AddActorSession", first.Message, StringComparison.Ordinal);

        var alone = new ApplicationBuilder(new ServiceCollection().AddActorSession().BuildServiceProvider());
        var second = Assert.Throws<InvalidOperationException>(() => alone.UseActorSession());
        Assert.Contains("AddSessionSilo", second.Message, StringComparison.Ordinal);
    }

    private static ActorSessionOptions Read(KeyValuePair<string, string?>[] settings, Action<ActorSessionOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddActorSession(configure);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<ActorSessionOptions>>().Value;
    }
}
