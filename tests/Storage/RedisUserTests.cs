using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>A Redis user who may do some things and not others.</summary>
[Collection(RedisGroup.Name)]
public sealed partial class RedisUserTests(RedisFixture fixture)
{
    private readonly string _prefix = $"users:{RequestId.New()}:";

    private static string[] Documented { get; } = ReadDocumented();

    public static TheoryData<string> CommandsOfScripts =>
        [.. typeof(RedisScript).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".lua", StringComparison.Ordinal))
            .SelectMany(name => Call().Matches(Text(name))).Select(call => call.Groups[1].Value.ToLowerInvariant()).Distinct()];

    [Fact]
    public async Task UserAsDocumented_IsAcceptedAndCanTakeEveryStep()
    {
        await using var connection = await ConnectAsync(Documented);

        await CheckAsync(connection);

        var database = await fixture.Server.DatabaseAsync();
        Assert.Empty((RedisResult[])(await database.ExecuteAsync("KEYS", $"{_prefix}*"))!);
    }

    [Theory]
    [MemberData(nameof(CommandsOfScripts))]
    public async Task UserWhoMayNotRunACommandOfAScript_IsRefusedAtTheStart(string command)
    {
        await using var connection = await ConnectAsync([.. Documented.Except([$"+{command}"])]);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => CheckAsync(connection));

        Assert.Contains("for this user", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CommandForbiddenInTheMiddleOfAScript_IsUnknown()
    {
        var options = Options.Create(new SessionActorsOptions { KeyPrefix = _prefix });
        await using var all = await ConnectAsync(Documented);
        await using var some = await ConnectAsync([.. Documented.Except(["+pexpire"])]);
        var (handle, owner) = (SessionHandle.New(), OwnerNonce.New());
        var flush = new Flush
        {
            Owner = owner, FromVersion = 0, Entries = [new RingEntry(RequestId.New(), "")], Delta = SessionDelta.Empty,
            KeepFor = TimeSpan.FromMinutes(1),
        };
        var creation = new Creation
        {
            OwnerName = "silo", Secret = null, AbsoluteLifetime = null, StartedAt = TimeProvider.System.GetTimestamp(),
        };

        var reply = await new RedisSessionStorage(new RedisConnection(options, some), options).CreateAsync(handle, creation, flush);

        Assert.Equal(StoreOutcome.Unknown, reply.Outcome);
        var again = await new RedisSessionStorage(new RedisConnection(options, all), options).CreateAsync(handle, creation, flush);
        Assert.Equal(StoreOutcome.AlreadyWritten, again.Outcome);
    }

    [Fact]
    public async Task WhatRedisRefuses_IsCountedByStepAndCode()
    {
        var options = Options.Create(new SessionActorsOptions { KeyPrefix = _prefix });
        await using var connection = await ConnectAsync([.. Documented.Except(["+evalsha"])]);
        await using var services = new ServiceCollection().AddMetrics().AddSingleton<SessionMetrics>().BuildServiceProvider();
        var counted = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "sessionactors.redis.errors" && instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>())
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>(
            (_, value, tags, _) => counted.Add($"{value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"));
        listener.Start();
        var storage = new RedisSessionStorage(
            new RedisConnection(options, connection), options, metrics: services.GetRequiredService<SessionMetrics>());

        var reply = await storage.PeekAsync(SessionHandle.New());

        Assert.Equal(StoreOutcome.Refused, reply.Outcome);
        Assert.Equal("1 db.system.name=redis db.operation.name=peek error.type=NOPERM", Assert.Single(counted));
    }

    [Theory]
    [InlineData("NOPERM this user has no permissions to run the 'evalsha' command", StoreOutcome.Refused)]
    [InlineData(
        "NOPERM User web has no permissions to run the 'hdel' command script: 5c2cbf8ecdc5aac0197f77b515383c3dae176f21, on "
        + "@user_script:1.",
        StoreOutcome.Unknown)]
    [InlineData(
        "ERR The user executing the script can't run this command or subcommand script: 5c2cbf8ecdc5aac0197f77b515383c3dae176f21, on "
        + "@user_script:1.",
        StoreOutcome.Unknown)]
    [InlineData(
        "OOM command not allowed when used memory > 'maxmemory'. script: 7efff2deee25755766cab02d1f6ef84baff59eca, on @user_script:1.",
        StoreOutcome.Refused)]
    internal void Refusal_IsCertainOnlyWhereNothingCanHaveBeenWritten(string message, StoreOutcome outcome) =>
        Assert.Equal(outcome, RedisReply.Of(new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, message)).Outcome);

    private Task CheckAsync(IConnectionMultiplexer connection)
    {
        var options = Options.Create(new SessionActorsOptions { KeyPrefix = _prefix });
        var check = new RedisStoreCheck(
            new RedisConnection(options, connection), options, TimeProvider.System, NullLogger<RedisStoreCheck>.Instance);
        return check.CheckAsync(TestContext.Current.CancellationToken);
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(string[] rules)
    {
        var name = RequestId.New().ToString();
        await (await fixture.Server.DatabaseAsync()).ExecuteAsync("ACL", ["SETUSER", name, "on", ">password", $"~{_prefix}*", .. rules]);
        return await ConnectionMultiplexer.ConnectAsync($"{fixture.Server.Address},user={name},password=password");
    }

    private static string[] ReadDocumented()
    {
        var page = SourceTree.Read("docs", "redis.md");
        var sentence = page[page.IndexOf("An ACL user needs", StringComparison.Ordinal)..];
        return [.. Rule().Matches(sentence).Select(rule => rule.Value)];
    }

    private static string Text(string resource)
    {
        using var reader = new StreamReader(typeof(RedisScript).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"redis\.call\('([A-Z]+)'")]
    private static partial Regex Call();

    [GeneratedRegex(@"(?<=[` ])\+[a-z|]+")]
    private static partial Regex Rule();
}
