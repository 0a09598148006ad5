using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace SessionActors.UnitTests.Grains;

public sealed class CrossClusterOptionsTests
{
    [Fact]
    public void One_three_and_five_masters_are_valid_and_so_is_none_of_it()
    {
        Assert.Empty(Failures(new SessionActorsOptions()));
        foreach (var count in new[] { 1, 3, 5 })
        {
            Assert.Empty(Failures(With([.. Enumerable.Range(6380, count).Select(port => $"127.0.0.1:{port}")])));
        }
    }

    [Theory]
    [InlineData("has 0 lock masters")]
    [InlineData("has 2 lock masters", "a:1", "b:1")]
    [InlineData("Redlock:1 is empty", "a:1", " ", "c:1")]
    [InlineData("Redlock:1 names 2 servers", "a:1", "b:1,b:2", "c:1")]
    [InlineData("Redlock:0 names 0 servers", "ssl=true")]
    [InlineData("Redlock:0 cannot be read", "a:1,noSuchOption=1,password=hunter2")]
    [InlineData("Redlock:2 is the same server", "a:1", "b:1", "A:1,password=hunter2")]
    public void Masters_that_make_no_majority_are_refused_by_their_path(string message, params string[] masters)
    {
        var failure = Assert.Single(Failures(With(masters)));

        Assert.Contains("SessionActors:CrossCluster", failure, StringComparison.Ordinal);
        Assert.Contains(message, failure, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void The_embedded_store_has_no_other_clusters()
    {
        var options = With(["a:1"]);
        options.Redis = null;

        Assert.Contains("SessionActors:Redis", Assert.Single(Failures(options)), StringComparison.Ordinal);
        Assert.Empty(Failures(options, services => services.AddSingleton<IConnectionMultiplexer>(_ => null!)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5001)]
    public void A_retry_time_out_of_range_is_refused_where_it_counts(int milliseconds)
    {
        var options = With(["a:1"]);
        options.RetryTime = TimeSpan.FromMilliseconds(milliseconds);

        Assert.Contains("SessionActors:RetryTime", Assert.Single(new SessionActorsOptionsValidator().Validate(null, options).Failures!),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_masters_are_read_from_the_configuration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["SessionActors:CrossCluster:Redlock:0"] = "a:1",
        }).Build();

        Assert.Equal(["a:1"], configuration.GetSection("SessionActors").Get<SessionActorsOptions>()!.CrossCluster!.Redlock);
    }

    [Fact]
    public void A_word_where_the_section_belongs_does_not_leave_the_guard_off() => Assert.Contains(
        "SessionActors:CrossCluster is a text", Assert.Single(Failures(new SessionActorsOptions(), crossCluster: "a:1")),
        StringComparison.Ordinal);

    private static SessionActorsOptions With(string[] masters)
    {
        var crossCluster = new CrossClusterOptions();
        foreach (var master in masters)
        {
            crossCluster.Redlock.Add(master);
        }

        return new SessionActorsOptions { Redis = "127.0.0.1:6379", CrossCluster = crossCluster };
    }

    private static IEnumerable<string> Failures(
        SessionActorsOptions options, Action<IServiceCollection>? add = null, string? crossCluster = null)
    {
        var services = new ServiceCollection();
        add?.Invoke(services);
        using var provider = services.BuildServiceProvider();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("SessionActors:CrossCluster", crossCluster)]).Build();
        var validator = new CrossClusterOptionsValidator(provider.GetRequiredService<IServiceProviderIsService>(), configuration);
        return validator.Validate(null, options).Failures ?? [];
    }
}
