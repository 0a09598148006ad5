namespace SessionActors.UnitTests.Grains;

public sealed class SessionActorsOptionsValidatorTests
{
    private readonly SessionActorsOptionsValidator _validator = new();

    [Fact]
    public void The_defaults_are_valid() => Assert.True(Check(new SessionActorsOptions()).Succeeded);

    [Fact]
    public void Every_option_at_the_edge_of_its_range_is_valid() => Assert.True(Check(new SessionActorsOptions
    {
        Ttl = TimeSpan.FromSeconds(1),
        AbsoluteLifetime = TimeSpan.FromSeconds(1),
        TouchInterval = TimeSpan.FromSeconds(1),
        DeleteExpiry = TimeSpan.FromMilliseconds(1),
        CollectionAge = TimeSpan.FromMinutes(1),
        ServingLease = TimeSpan.Zero,
        MaxPropertyBytes = 1,
        MaxSessionBytes = 1,
        MaxProperties = 1,
        MaxWaiters = 1,
        FlushMode = FlushMode.WriteBehind,
        FlushDelay = TimeSpan.FromMilliseconds(10),
        MaxPendingBytes = 1024,
        KeyPrefix = "a",
        Redis = "127.0.0.1:6379,password=p",
    }).Succeeded);

    public static TheoryData<string, string, Action<SessionActorsOptions>> OutOfRange => new()
    {
        { "Ttl", "00:00:00.5000000", o => o.Ttl = TimeSpan.FromSeconds(0.5) },
        { "Ttl", "10675199.02:48:05.4775807", o => o.Ttl = TimeSpan.MaxValue },
        { "AbsoluteLifetime", "10675199.02:48:05.4775807", o => o.AbsoluteLifetime = TimeSpan.MaxValue },
        { "AbsoluteLifetime", "00:19:00", o => o.AbsoluteLifetime = TimeSpan.FromMinutes(19) },
        { "TouchInterval", "00:00:00", o => o.TouchInterval = TimeSpan.Zero },
        { "TouchInterval", "00:21:00", o => o.TouchInterval = TimeSpan.FromMinutes(21) },
        { "DeleteExpiry", "00:00:00", o => o.DeleteExpiry = TimeSpan.Zero },
        { "CollectionAge", "00:00:59", o => o.CollectionAge = TimeSpan.FromSeconds(59) },
        { "ServingLease", "00:00:00.4990000", o => o.ServingLease = TimeSpan.FromMilliseconds(499) },
        { "ServingLease", "-00:00:01", o => o.ServingLease = TimeSpan.FromSeconds(-1) },
        { "ServingLease", "01:00:01", o => o.ServingLease = TimeSpan.FromSeconds(3601) },
        { "MaxPropertyBytes", "0", o => o.MaxPropertyBytes = 0 },
        { "MaxPropertyBytes", "2000000", o => o.MaxPropertyBytes = 2_000_000 },
        { "MaxSessionBytes", "2000000000", o => o.MaxSessionBytes = 2_000_000_000 },
        { "MaxProperties", "-1", o => o.MaxProperties = -1 },
        { "MaxWaiters", "0", o => o.MaxWaiters = 0 },
        { "FlushMode", "7", o => o.FlushMode = (FlushMode)7 },
        { "FlushDelay", "00:00:00.0090000", o => o.FlushDelay = TimeSpan.FromMilliseconds(9) },
        { "FlushDelay", "00:01:01", o => o.FlushDelay = TimeSpan.FromSeconds(61) },
        { "MaxPendingBytes", "1023", o => o.MaxPendingBytes = 1023 },
        { "FlushMode", "CrossCluster", o => (o.FlushMode, o.CrossCluster) = (FlushMode.WriteBehind, new CrossClusterOptions()) },
        { "KeyPrefix", "''", o => o.KeyPrefix = "" },
        { "KeyPrefix", "'{app}:'", o => o.KeyPrefix = "{app}:" },
        { "KeyPrefix", "'app:@state:'", o => o.KeyPrefix = "app:@state:" },
        { "KeyPrefix", "':'", o => o.KeyPrefix = ":" },
        { "KeyPrefix", "'a b'", o => o.KeyPrefix = "a b" },
        { "Redis", "is empty", o => o.Redis = " " },
        { "Redis", "names no server", o => o.Redis = "ssl=true" },
        { "Redis", "cannot be read", o => o.Redis = "127.0.0.1,noSuchOption=1" },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void An_option_out_of_range_is_refused_by_its_path_and_value(string option, string value, Action<SessionActorsOptions> change)
    {
        var options = new SessionActorsOptions();
        change(options);

        var failure = Assert.Single(Check(options).Failures!);

        Assert.Contains($"SessionActors:{option}", failure, StringComparison.Ordinal);
        Assert.Contains(value, failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var options = new SessionActorsOptions { Ttl = TimeSpan.Zero, MaxWaiters = 0, KeyPrefix = "@" };

        Assert.Equal(3, Check(options).Failures!.Count());
    }

    [Fact]
    public void A_password_in_the_configuration_of_Redis_is_not_repeated()
    {
        var options = new SessionActorsOptions { Redis = "127.0.0.1,password=hunter2,noSuchOption=1" };

        Assert.DoesNotContain("hunter2", Assert.Single(Check(options).Failures!), StringComparison.Ordinal);
    }

    private Microsoft.Extensions.Options.ValidateOptionsResult Check(SessionActorsOptions options) => _validator.Validate(null, options);
}
