using System.Net;
using System.Net.Sockets;

namespace SessionActors;

/// <summary>What somebody is told who starts it wrongly: first of all what is wrong, and how to mend it.</summary>
public sealed class StartUpTests
{
    private const string Password = "open-sesame-4711";

    [Fact]
    public async Task A_Redis_that_is_not_there_is_named_with_its_option()
    {
        var said = await RefusalAsync($"--SessionActors:Redis=127.0.0.1:{RedisServer.FreePort()},password={Password}");

        Assert.Contains("Redis 127.0.0.1:", said, StringComparison.Ordinal);
        Assert.Contains("SessionActors:Redis", said, StringComparison.Ordinal);
        // Advice of the client library's that helps nobody here: start-up fails on purpose.
        Assert.DoesNotContain("abortConnect=false", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",password=" + Password + "-not")]
    public async Task A_Redis_that_asks_for_another_password_says_so(string settings)
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { Password = Password });

        var said = await RefusalAsync($"--SessionActors:Redis={redis.Address}{settings}");

        Assert.Contains(redis.Address, said, StringComparison.Ordinal);
        Assert.Contains("authentication", said, StringComparison.Ordinal);
        Assert.Contains("SessionActors:Redis", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_right_password_it_starts_and_never_prints_it()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { Password = Password });
        await using var app = await AppProcess.StartAsync(Site.App, $"--SessionActors:Redis={redis.ConnectionString}");
        using var visitor = new Browser(app.Address);

        await visitor.GetAsync("/set/a/1");

        var told = $"Sessions are in Redis {redis.Address}";
        await Until.TrueAsync(() => app.Output.Contains(told, StringComparison.Ordinal), "it says where sessions are kept");
        Assert.DoesNotContain(Password, app.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_with_TLS_is_used_where_its_certificate_is_trusted()
    {
        using var certificate = new TestCertificate();
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { Certificate = certificate });
        await using var app = await AppProcess.StartWithAsync(
            [$"SSL_CERT_FILE={certificate.Authority}"], Site.App, $"--SessionActors:Redis={redis.ConnectionString}");
        using var visitor = new Browser(app.Address);

        await visitor.GetAsync("/set/a/1");

        Assert.Equal("1", (await redis.StoredAsync(visitor.Handle))["a"]);
    }

    [Fact]
    public async Task A_Redis_whose_certificate_nobody_trusts_is_refused_and_so_is_one_that_is_asked_without_TLS()
    {
        using var certificate = new TestCertificate();
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { Certificate = certificate });

        var said = await RefusalAsync($"--SessionActors:Redis={redis.ConnectionString}");
        Assert.Contains($"Redis {redis.Address} cannot be used: its TLS certificate is not accepted", said, StringComparison.Ordinal);
        Assert.Contains("SSL_CERT_FILE", said, StringComparison.Ordinal);

        said = await RefusalAsync($"--SessionActors:Redis={redis.Address},connectTimeout=1000");
        Assert.Contains($"Redis {redis.Address} cannot be used", said, StringComparison.Ordinal);
        Assert.Contains("ssl=true", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_that_speaks_no_TLS_and_one_that_is_no_Sentinel_say_so()
    {
        await using var redis = await RedisServer.StartAsync();

        var said = await RefusalAsync($"--SessionActors:Redis={redis.Address},ssl=true,connectTimeout=1000");
        Assert.Contains($"Redis {redis.Address} cannot be used: it does not speak TLS at this port", said, StringComparison.Ordinal);

        said = await RefusalAsync($"--SessionActors:Redis={redis.Address},serviceName=sessions");
        Assert.Contains($"Redis {redis.Address} cannot be used: no Sentinel there", said, StringComparison.Ordinal);
        Assert.Contains("serviceName=sessions", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_that_may_evict_sessions_is_refused_unless_that_is_allowed()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerSettings { EvictionPolicy = "allkeys-lru" });

        var said = await RefusalAsync($"--SessionActors:Redis={redis.Address}");
        Assert.Contains("maxmemory-policy allkeys-lru", said, StringComparison.Ordinal);
        Assert.Contains("noeviction", said, StringComparison.Ordinal);
        Assert.Contains("SessionActors:AllowEviction=true", said, StringComparison.Ordinal);

        await using var app = await AppProcess.StartAsync(
            Site.App, $"--SessionActors:Redis={redis.Address}", "--SessionActors:AllowEviction=true");
        using var visitor = new Browser(app.Address);
        Assert.Equal("set", await visitor.GetAsync("/set/a/1"));
    }

    [Theory]
    [InlineData("SiloPort")]
    [InlineData("GatewayPort")]
    public async Task A_port_that_somebody_has_is_named_with_its_option(string option)
    {
        using var taken = new TcpListener(IPAddress.Loopback, RedisServer.FreePort());
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var said = await RefusalAsync($"--SessionActors:{option}={port}", "--SessionActors:DataFolder=:memory:");

        Assert.Contains($"127.0.0.1:{port}", said, StringComparison.Ordinal);
        Assert.Contains($"SessionActors:{option}", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_of_the_web_server_ends_the_process()
    {
        using var taken = new TcpListener(IPAddress.Loopback, RedisServer.FreePort());
        taken.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";

        var (exitCode, output) = await AppProcess.RunAsync(Site.App, $"--urls={address}", "--SessionActors:DataFolder=:memory:");

        Assert.NotEqual(0, exitCode);
        Assert.Contains($"Failed to bind to address {address}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_is_named_with_its_option()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "taken");
        await File.WriteAllTextAsync(file, "a file where the folder should be", TestContext.Current.CancellationToken);

        foreach (var place in new[] { file, Path.Combine(file, "below"), "/proc/sessions" })
        {
            var said = await RefusalAsync($"--SessionActors:DataFolder={place}");
            Assert.Contains($"'{place}'", said, StringComparison.Ordinal);
            Assert.Contains("SessionActors:DataFolder", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_the_options_is_told_at_once()
    {
        var said = await RefusalAsync(
            "--SessionActors:Ttl=00:00:00", "--SessionActors:MaxProperties=0", "--SessionActors:MaxPropertyBytes=2000000",
            "--SessionActors:KeyPrefix=@", "--SessionActors:GatewayPort=70000", "--SessionActors:DataFolder=");

        foreach (var option in new[] { "Ttl = 00:00:00", "MaxProperties = 0", "MaxSessionBytes", "KeyPrefix", "GatewayPort", "DataFolder" })
        {
            Assert.Contains($"SessionActors:{option}", said, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("OnUnavailable=Perhaps", "OnUnavailable")]
    [InlineData("IOTimeout=00:00:00", "SessionActors:IOTimeout")]
    [InlineData("Redis=", "SessionActors:Redis")]
    [InlineData("Redis=password=" + Password, "SessionActors:Redis")]
    [InlineData("Redis=127.0.0.1:1,nonsense=" + Password, "SessionActors:Redis")]
    [InlineData("Ttl=soon", "SessionActors:Ttl")]
    [InlineData("Ttl=30", "SessionActors:Ttl = 30 would be 30 days")]
    public async Task A_value_that_makes_no_sense_is_named(string argument, string named)
    {
        var said = await RefusalAsync($"--SessionActors:{argument}", "--SessionActors:DataFolder=:memory:");

        Assert.Contains(named, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_others_reach_needs_a_word_that_they_may()
    {
        var said = await RefusalAsync("--SessionActors:AdvertisedAddress=10.1.2.3", "--SessionActors:DataFolder=:memory:");

        Assert.Contains("SessionActors:AdvertisedAddress = '10.1.2.3'", said, StringComparison.Ordinal);
        Assert.Contains("SessionActors:AllowUnprotectedNetwork=true", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_not_this_machines_says_so()
    {
        var said = await RefusalAsync(
            "--SessionActors:AdvertisedAddress=192.0.2.1", "--SessionActors:AllowUnprotectedNetwork=true",
            "--SessionActors:DataFolder=:memory:");

        Assert.Contains("192.0.2.1 is no address of this machine", said, StringComparison.Ordinal);
        Assert.Contains("SessionActors:AdvertisedAddress", said, StringComparison.Ordinal);
    }

    /// <summary>Starts the application, which must not come up, and returns the message at the top of what it printed.</summary>
    private static async Task<string> RefusalAsync(params string[] arguments)
    {
        var (exitCode, output) = await AppProcess.RunAsync(Site.App, ["--urls=http://127.0.0.1:0", .. arguments]);

        Assert.NotEqual(0, exitCode);
        Assert.DoesNotContain(Password, output, StringComparison.Ordinal);
        var lines = output.Split('\n');
        Assert.Contains("Hosting failed to start", lines[1], StringComparison.Ordinal);
        return lines[2];
    }
}
