using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using SessionActors.TestApp;

namespace SessionActors;

/// <summary>An application with sessions can be tested in its tests' own process, with nothing installed.</summary>
public sealed class WebFactoryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_application_runs_in_the_process_of_its_tests()
    {
        await using var factory = new Factory(":memory:");
        using var visitor = factory.CreateClient();

        await visitor.GetStringAsync("/set/user/ann", Cancellation);
        await visitor.GetStringAsync("/increment/visits", Cancellation);

        Assert.Equal("ann", await visitor.GetStringAsync("/get/user", Cancellation));
        Assert.Equal("2", await visitor.GetStringAsync("/increment/visits", Cancellation));
        using var other = factory.CreateClient();
        Assert.Equal("-", await other.GetStringAsync("/get/user", Cancellation));
    }

    [Fact]
    public async Task Two_applications_run_side_by_side_and_never_meet()
    {
        await using var first = new Factory(":memory:");
        await using var second = new Factory(":memory:");
        using var visitorOfFirst = first.CreateClient();
        using var visitorOfSecond = second.CreateClient();

        using var started = await visitorOfFirst.GetAsync("/set/user/ann", Cancellation);
        await visitorOfSecond.GetStringAsync("/set/user/bob", Cancellation);

        Assert.Equal("ann", await visitorOfFirst.GetStringAsync("/get/user", Cancellation));
        Assert.Equal("bob", await visitorOfSecond.GetStringAsync("/get/user", Cancellation));
        using var stranger = second.CreateClient(new WebApplicationFactoryClientOptions { HandleCookies = false });
        stranger.DefaultRequestHeaders.Add("Cookie", started.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        Assert.Equal("-", await stranger.GetStringAsync("/get/user", Cancellation));
    }

    [Fact]
    public async Task A_session_in_a_data_folder_is_there_for_the_next_application_on_it()
    {
        var folder = Directory.CreateTempSubdirectory("session-actors-web-");
        string cookie;
        await using (var first = new Factory(folder.FullName))
        {
            using var visitor = first.CreateClient();
            using var started = await visitor.GetAsync("/set/user/ann", Cancellation);
            cookie = started.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        }

        await using (var second = new Factory(folder.FullName))
        {
            using var visitor = second.CreateClient(new WebApplicationFactoryClientOptions { HandleCookies = false });
            visitor.DefaultRequestHeaders.Add("Cookie", cookie);
            Assert.Equal("ann", await visitor.GetStringAsync("/get/user", Cancellation));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_limits_and_the_errors_are_those_of_the_real_server()
    {
        await using var factory = new Factory(":memory:");
        using var visitor = factory.CreateClient();

        using var response = await visitor.GetAsync("/many/2000", Cancellation);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    // Any type of the application's assembly names the application; Program is the name of the samples' too.
    private sealed class Factory(string dataFolder) : WebApplicationFactory<Gates>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseSetting("SessionActors:DataFolder", dataFolder);
    }
}
